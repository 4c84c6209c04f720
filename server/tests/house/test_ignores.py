from pathlib import Path

import pytest

from tests.house.planted import plant
from tools.lint.ignores import check_ignores


@pytest.mark.parametrize(
    "comment",
    [
        "# no" + "qa",
        "# no" + "qa: S311",
        "# no" + "qa - because",
        "# type: " + "ignore",
        "# type: " + "ignore[attr-defined]",
        "# py" + "right: basic",
    ],
)
def test_an_ignore_without_rule_or_reason_is_found(tmp_path: Path, comment: str) -> None:
    assert [v.line for v in check_ignores(plant(tmp_path, {"kit/a.py": f"\nx = 1  {comment}\n"}).sources)] == [2]


@pytest.mark.parametrize(
    "comment",
    [
        "# no" + "qa: S311, PLR2004 - spreads retries",
        "# type: " + "ignore[attr-defined] - the stub lacks it",
        "# py" + "right: ignore[reportX] - why",
        "# a remark",
    ],
)
def test_a_reasoned_one_is_not(tmp_path: Path, comment: str) -> None:
    assert list(check_ignores(plant(tmp_path, {"kit/a.py": f"x = 1  {comment}\n"}).sources)) == []
