from pathlib import Path

import pytest

from tests.house.planted import plant
from tools.lint.sql import check_sql


@pytest.mark.parametrize(
    "text",
    [
        'QUERY = "SELECT id FROM users"',
        'QUERY = f"SELECT {columns} FROM users"',
        'QUERY = "select id from users where id = :id"',
        'QUERY = "INSERT OR IGNORE INTO users (id) VALUES (:id)"',
        'QUERY = "UPDATE users SET name = NULL"',
        'QUERY = "DELETE FROM users"',
        'QUERY = "PRAGMA journal_mode = wal"',
        'QUERY = base + " WHERE id = :id"',
        'QUERY = base + " ORDER BY id"',
        "QUERY = Statement(text)",
    ],
)
@pytest.mark.parametrize("file", ["features/users/service.py", "http/call.py", "cli/keys.py", "kit/ids.py"])
def test_sql_outside_repositories_and_storage_is_found(tmp_path: Path, file: str, text: str) -> None:
    found = list(check_sql(plant(tmp_path, {file: text}).sources))
    assert [violation.line for violation in found] == [1]


@pytest.mark.parametrize("file", ["features/users/repository.py", "storage/sqlite.py"])
def test_sql_in_its_places_is_not(tmp_path: Path, file: str) -> None:
    assert list(check_sql(plant(tmp_path, {file: 'Q = "SELECT id FROM users"'}).sources)) == []


@pytest.mark.parametrize(
    "text",
    [
        '"""Return what `SELECT id FROM users` would."""',
        'MESSAGE = "Select the users you want, and update them."',
        'MESSAGE = "Update the key from the dashboard."',
        'MESSAGE = "Delete this user from the recycle bin"',
    ],
)
def test_plain_english_is_not(tmp_path: Path, text: str) -> None:
    assert list(check_sql(plant(tmp_path, {"kit/ids.py": text}).sources)) == []
