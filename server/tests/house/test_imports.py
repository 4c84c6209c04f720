from pathlib import Path

import pytest

from tests.house.planted import plant
from tools.lint.imports import check_imports

KIT = "hellojohn_server.kit"
FEATURES = "hellojohn_server.features"
STORAGE = "hellojohn_server.storage"


@pytest.mark.parametrize(
    ("file", "line", "said"),
    [
        ("kit/ids.py", f"from {STORAGE}.database import Reader", "kit may not import storage"),
        ("kit/ids.py", "import hellojohn_server.features.users.service", "kit may not import features"),
        ("storage/sql.py", f"from {FEATURES}.users import schemas", "storage may not import features"),
        ("features/users/service.py", "from hellojohn_server.http.call import read", "features may not import http"),
        ("http/call.py", "from hellojohn_server.cli.dev import run", "http may not import cli"),
        ("http/call.py", "from hellojohn_server.app import main", "http may not import app"),
        ("cli/dev.py", f"from {STORAGE}.sqlite import SqliteDatabase", "only app.py knows the store sqlite"),
        ("features/users/service.py", f"from {STORAGE} import postgres", "only app.py knows the store postgres"),
        ("features/audit/service.py", f"from {FEATURES}.users.service import UserService", "users: it comes later"),
        ("features/users/service.py", f"from {FEATURES}.keys import repository", "not keys.repository"),
        ("features/users/service.py", f"from {FEATURES}.keys.events import x", "not keys.events"),
        ("features/users/routes.py", f"from {FEATURES}.users import repository", "routes do not touch the repository"),
        ("features/users/routes.py", f"from {STORAGE}.database import Database", "routes do not touch the store"),
        (
            "features/users/repository.py",
            f"from {FEATURES}.users.service import x",
            "repository may not import service",
        ),
        ("features/pets/service.py", f"from {FEATURES}.users.service import x", "pets has no place in the order"),
        ("misc.py", f"from {KIT}.ids import x", "misc has no place in the layers"),
        ("features/users/service.py", "from . import repository", "relative import"),
    ],
)
def test_an_import_that_points_up_or_sideways_is_found(tmp_path: Path, file: str, line: str, said: str) -> None:
    modules = {
        "storage/sqlite.py": "",
        "storage/postgres.py": "",
        "features/keys/repository.py": "",
        "features/users/repository.py": "",
        "features/users/schemas.py": "",
    }
    found = [str(violation) for violation in check_imports(plant(tmp_path, {**modules, file: line}).sources)]
    assert len(found) == 1
    assert said in found[0]
    assert f"/{file}:1:" in found[0]


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("storage/sql.py", f"from {KIT}.ids import x"),
        ("features/users/service.py", f"from {FEATURES}.users import repository"),
        ("features/users/service.py", f"from {FEATURES}.keys.service import KeyService"),
        ("features/users/service.py", f"from {FEATURES}.audit.events import Event"),
        ("features/users/routes.py", f"from {FEATURES}.users.service import UserService"),
        ("http/router.py", f"from {FEATURES}.users.routes import UserRoutes"),
        ("app.py", f"from {STORAGE}.sqlite import SqliteDatabase"),
        ("kit/ids.py", "import msgspec"),
    ],
)
def test_an_import_that_points_down_is_not(tmp_path: Path, file: str, line: str) -> None:
    modules = {"features/users/repository.py": "", file: line}
    assert list(check_imports(plant(tmp_path, modules).sources)) == []


def test_a_cycle_is_found_once(tmp_path: Path) -> None:
    project = plant(
        tmp_path,
        {
            "kit/a.py": f"from {KIT}.b import x",
            "kit/b.py": f"from {KIT} import c",
            "kit/c.py": f"import {KIT}.a",
        },
    )
    assert [violation.message for violation in check_imports(project.sources)] == [
        f"import cycle: {KIT}.a -> {KIT}.b -> {KIT}.c -> {KIT}.a"
    ]


def test_an_import_inside_a_function_is_found(tmp_path: Path) -> None:
    project = plant(
        tmp_path,
        {
            "kit/a.py": """
                def late():
                    import json
                    return json
            """
        },
    )
    assert [violation.line for violation in check_imports(project.sources)] == [3]
