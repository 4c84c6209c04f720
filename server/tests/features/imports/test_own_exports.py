"""What was exported is imported again into another tenant as it was, in either form, with passwords that work."""

from typing import Any, Final

import msgspec
import pytest
from msgspec.structs import replace

from hellojohn_server.features.users.schemas import User
from hellojohn_server.features.users_export.schemas import ExportFormat, ExportUsersQuery
from hellojohn_server.kit.user_files.formats import UserFormat
from hellojohn_server.kit.user_files.rows import FileShape
from tests.features.auth.parts import PASSWORD, Front, make_front
from tests.features.imports.parts import done, send
from tests.features.search.people import insert_people, people, person

SHAPES: Final = {ExportFormat.CSV: FileShape.CSV, ExportFormat.NDJSON: FileShape.NDJSON}
NOT_KEPT: Final = {"locked_until", "mfa_enrolled", "status", "updated_at", "version"}
ODD: Final = ("=1+1", "+1", "-1", "@a", "'=x", "''", "'t Hooft", 'a "b", c', "x = y")


async def exported(front: Front, written_as: ExportFormat) -> bytes:
    context = front.app.context(front.tenant_id)
    query = ExportUsersQuery(format=written_as)
    parts = await front.app.services.users_export.export_users(context, query, with_password_hashes=True)
    return b"".join([part async for part in parts])


async def shown(front: Front) -> list[dict[str, Any]]:
    users: list[dict[str, Any]] = []
    for line in (await exported(front, ExportFormat.NDJSON)).splitlines():
        user = msgspec.json.decode(line)
        if user["ban"] is not None:
            del user["ban"]["by"]
        users.append({name: value for name, value in user.items() if name not in NOT_KEPT})
    return users


def _possible(user: User) -> User:
    """Return an invented user as one can be: outside the bin, and active at the last sign-in at least."""
    return replace(user, deleted_at=None, last_active_at=user.last_active_at or user.last_sign_in_at)


@pytest.mark.parametrize("written_as", list(ExportFormat))
async def test_a_file_of_ours_comes_back_as_it_was(front: Front, written_as: ExportFormat) -> None:
    await front.sign_up()
    users = [_possible(user) for user in people(40)]
    users += [person(number, name=name, phone=f"+1415555{number}") for number, name in enumerate(ODD, 1_000)]
    users.append(person(2_000, public_metadata='{"a":"=1,\\"x","b":[null]}'))
    await insert_people(front.app.services.database, front.tenant_id, users)
    other = await make_front(front.app)

    answer = await send(other, await exported(front, written_as), UserFormat.HELLOJOHN, SHAPES[written_as])

    await done(answer, imported=len(users) + 1)
    assert await shown(other) == await shown(front)
    assert await other.try_sign_in("alice@example.com", PASSWORD) == (200, "")
