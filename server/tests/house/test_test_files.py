from pathlib import Path

import pytest

from tests.house.planted import plant
from tools.lint.tests import check_honesty, check_mirror


def test_a_test_directory_without_its_source_is_found(tmp_path: Path) -> None:
    project = plant(
        tmp_path,
        {
            "features/users/service.py": "",
            "/server/tests/features/users/test_service.py": "",
            "/server/tests/features/pets/test_service.py": "",
            "/server/tests/house/test_names.py": "",
            "/server/tests/test_app.py": "",
        },
    )
    assert [violation.path for violation in check_mirror(project)] == ["server/tests/features/pets/test_service.py"]


@pytest.mark.parametrize(
    "text",
    [
        "pytest." + "skip('later')",
        "@pytest.mark." + "skip\ndef test(): ...",
        "@pytest.mark." + "xfail(reason='x')\ndef test(): ...",
        "from unittest import " + "mock",
        "from unittest." + "mock import patch",
        "import unittest." + "mock",
    ],
)
def test_skips_and_mocks_are_found(tmp_path: Path, text: str) -> None:
    project = plant(tmp_path, {"/server/tests/kit/test_ids.py": text})
    assert len(list(check_honesty(project.tests))) == 1
