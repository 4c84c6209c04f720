"""One call of every operation on imports, and what those that change something must write in the audit log."""

from typing import Any, Final

from tests.walk.acts import Act, Call
from tests.walk.rows import Entry, Row
from tests.walk.world import World

_IMPORTS: Final = "/v1/admin/imports"
_A: Final = "usr_01HZX3Y5N8Q7W2K4M6P9R1T3VA"
_B: Final = "usr_01HZX3Y5N8Q7W2K4M6P9R1T3VB"
_FILE: Final = [{"id": _A, "email": "a@example.com"}]
_KIND: Final = {"format": "hellojohn", "dry_run": False}


async def _interrupted(world: World) -> str:
    """Import a file that is none after its first row."""
    made = await world.make(_IMPORTS, [*_FILE, 5])
    assert (made["status"], made["imported"]) == ("interrupted", 1)
    return str(made["id"])


async def create_import(_: World) -> Call:
    return Call(method="POST", path=_IMPORTS, body=[*_FILE, {"email": "x"}], objects={"user": _A})


async def resume_import(world: World) -> Call:
    one = await _interrupted(world)
    body = [*_FILE, {"id": _B, "email": "b@example.com"}]
    return Call(method="POST", path=f"{_IMPORTS}/{one}/resume", body=body, objects={"import": one, "user": _B})


async def get_import(world: World) -> Call:
    one = await _interrupted(world)
    return Call(method="GET", path=f"{_IMPORTS}/{one}", objects={"import": one})


async def get_import_report(world: World) -> Call:
    one = await _interrupted(world)
    return Call(method="GET", path=f"{_IMPORTS}/{one}/report", objects={"import": one})


async def list_imports(_: World) -> Call:
    return Call(method="GET", path=_IMPORTS)


def _user(address: str) -> Entry:
    return Entry(
        type="user.created",
        resource=("user", "user"),
        changes={"email": (None, address), "role": (None, "member")},
        metadata={"password": "none", "import_id": "<made>"},
    )


def _counts(**counts: int) -> dict[str, Any]:
    return {**_KIND, "rows": sum(counts.values()), "imported": 0, "duplicates": 0, "refused": 0, **counts}


IMPORT_ACTS: Final[dict[str, Act]] = {
    act.__name__: act for act in (create_import, get_import, get_import_report, list_imports, resume_import)
}
IMPORT_TABLE: Final[dict[str, Row]] = {
    "create_import": Row(
        201,
        [
            Entry(
                type="users.import_started",
                resource=("import", "made"),
                metadata={**_KIND, "content": "application/json"},
            ),
            _user("a@example.com"),
            Entry(
                type="users.import_completed",
                resource=("import", "made"),
                metadata=_counts(imported=1, refused=1),
            ),
        ],
    ),
    "resume_import": Row(
        200,
        [
            Entry(type="users.import_resumed", resource=("import", "import"), metadata=_counts(imported=1)),
            _user("b@example.com"),
            Entry(type="users.import_completed", resource=("import", "import"), metadata=_counts(imported=2)),
        ],
    ),
}
