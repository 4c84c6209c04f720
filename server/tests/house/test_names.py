from pathlib import Path

import pytest

from tests.house.planted import plant
from tools.lint.names import check_enums, check_files, check_verbs, check_vocabularies

SCOPES = """
    from enum import StrEnum

    class Scope(StrEnum):
        USERS_READ = "users:read"
        USERS_WRITE = "users:write"
"""


def test_a_vocabulary_is_alphabetised_by_words(tmp_path: Path) -> None:
    text = """
        from enum import StrEnum

        class ErrorCode(StrEnum):
            USER_NOT_FOUND = "user_not_found"
            USERNAME_TAKEN = "username_taken"
            TENANT_NOT_FOUND = "tenant_not_found"
    """
    found = list(check_enums(plant(tmp_path, {"kit/error_codes.py": text}).sources))
    assert [violation.message for violation in found] == ["ErrorCode.TENANT_NOT_FOUND belongs before USERNAME_TAKEN"]


def test_a_value_of_a_vocabulary_stands_nowhere_else(tmp_path: Path) -> None:
    service = """
        '''users:read'''

        NEEDS = "users:read"
        OTHER = "users:rea"
        ALL = ["x", "users:write"]
    """
    project = plant(tmp_path, {"kit/scopes.py": SCOPES, "features/users/service.py": service})
    assert [(violation.line, violation.message) for violation in check_vocabularies(project.sources)] == [
        (4, '"users:read" is Scope.USERS_READ: use the enum'),
        (6, '"users:write" is Scope.USERS_WRITE: use the enum'),
    ]


@pytest.mark.parametrize(
    "file", ["features/users/queries.py", "features/users/search/service.py", "kit/utils.py", "storage/helpers.py"]
)
def test_a_file_that_is_not_one_of_the_fixed_names_is_found(tmp_path: Path, file: str) -> None:
    assert len(list(check_files(plant(tmp_path, {file: ""}).sources))) == 1


def test_the_fixed_names_are_not(tmp_path: Path) -> None:
    names = ("__init__", "errors", "events", "repository", "routes", "schemas", "service")
    files = dict.fromkeys((f"features/users/{name}.py" for name in names), "")
    assert list(check_files(plant(tmp_path, files).sources)) == []


def test_a_repository_speaks_in_its_verbs_and_takes_a_transaction_first(tmp_path: Path) -> None:
    text = """
        async def get_user(reader: Reader, user_id: str): ...
        async def claim_job(tx: Transaction): ...
        async def _walk(reader: Reader): ...
        async def fetch_user(reader: Reader): ...
        async def get_key(key_id: str): ...
    """
    found = list(check_verbs(plant(tmp_path, {"features/users/repository.py": text}).sources))
    assert [violation.line for violation in found] == [5, 6]
