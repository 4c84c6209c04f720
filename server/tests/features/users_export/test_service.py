"""Exports as the service writes them: complete whatever happens meanwhile, for those who may, and nobody else's."""

import csv
import io
import random
from collections.abc import AsyncGenerator
from typing import Any, Final

import msgspec
import pytest

from hellojohn_server.features.audit.schemas import ListAuditQuery
from hellojohn_server.features.keys.errors import InvalidApiKey
from hellojohn_server.features.keys.schemas import CreateKeyBody
from hellojohn_server.features.search.schemas import Direction, SortField, UserFilter, UserOrder
from hellojohn_server.features.tenants.errors import TenantSuspended
from hellojohn_server.features.users.schemas import UserBody, UserStatus, body_of
from hellojohn_server.features.users_export.schemas import ExportFormat, ExportUsersQuery
from hellojohn_server.features.users_export.service import UsersExportService
from hellojohn_server.kit.api_keys import parse_key
from hellojohn_server.kit.csv_text import as_written
from hellojohn_server.kit.errors import InsufficientScope, Invalid
from hellojohn_server.kit.ids import IdPrefix
from hellojohn_server.kit.principal import Context
from tests.conftest import START_MS
from tests.features.search.people import erase_person, in_order, insert_people, is_wanted, people, person
from tests.support import RunningApp

CHUNK: Final = 7
NEWEST: Final = UserOrder(SortField.CREATED_AT, Direction.DESCENDING)


@pytest.fixture
def exports(app: RunningApp) -> UsersExportService:
    """The service over the app's store, which reads only a few users at a time."""
    services = app.services
    roles = services.users_export._roles
    return UsersExportService(
        services.database, services.clock, services.audit_log, keys=services.keys, roles=roles, chunk=CHUNK
    )


@pytest.fixture
async def tenant(app: RunningApp) -> str:
    """A tenant in the store of the app."""
    return await app.make_tenant()


async def parts_of(
    exports: UsersExportService, context: Context, *, with_password_hashes: bool = False, **query: Any
) -> AsyncGenerator[bytes, None]:
    asked = ExportUsersQuery(**query)
    return await exports.export_users(context, asked, with_password_hashes=with_password_hashes)


async def exported(exports: UsersExportService, context: Context, **query: Any) -> list[UserBody]:
    parts = await parts_of(exports, context, **query)
    return [line async for part in parts for line in msgspec.json.Decoder(UserBody).decode_lines(part)]


async def caller(app: RunningApp, tenant_id: str, *scopes: str) -> Context:
    """Return the context of a request with a secret key of the tenant."""
    body = CreateKeyBody(name="export", scopes=list(scopes))
    made = await app.services.keys.create_key(app.context(tenant_id), tenant_id, body)
    parsed = parse_key(made.key)
    assert parsed is not None
    return Context(await app.services.keys.authenticate(parsed), app.services.ids.new(IdPrefix.REQUEST))


def of_exports() -> ListAuditQuery:
    return ListAuditQuery(type="users.exported")


async def test_each_line_is_the_user_as_the_api_shows_it(
    app: RunningApp, exports: UsersExportService, tenant: str
) -> None:
    users = people(60)
    await insert_people(app.services.database, tenant, users)
    listed = in_order([user for user in users if user.deleted_at is None], NEWEST)

    lines = await exported(exports, app.context(tenant))

    assert lines == [body_of(user, START_MS) for user in listed]
    assert len(lines) > 3 * CHUNK


async def test_csv_says_the_same(app: RunningApp, exports: UsersExportService, tenant: str) -> None:
    odd = ["=1+1", "+1", "-1", "@a", "'=x", "''", "'t Hooft", 'a "b", c', "ａ=b", "x' = y"]
    users = [person(number, name=name, phone="+14155552671") for number, name in enumerate(odd)]
    users.append(person(90, public_metadata='{"a":"=1,\\"x","b":[null]}', banned_at=START_MS, ban_reason="-spam"))
    await insert_people(app.services.database, tenant, users)

    text = b"".join([part async for part in await parts_of(exports, app.context(tenant), format=ExportFormat.CSV)])

    assert text.endswith(b"\r\n")
    head, *rows = csv.reader(io.StringIO(text.decode(), newline=""))
    assert tuple(head) == UserBody.__struct_fields__
    lines = await exported(exports, app.context(tenant))
    assert [_read_back(dict(zip(head, row, strict=True))) for row in rows] == [
        msgspec.to_builtins(line) for line in lines
    ]
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    nobody = await parts_of(exports, app.context(tenant), format=ExportFormat.CSV, role="nobody")
    assert b"".join([part async for part in nobody]).count(b"\r\n") == 1


def _read_back(row: dict[str, str]) -> dict[str, Any]:
    as_json = {"true", "false"}
    read: dict[str, Any] = {}
    for name, cell in row.items():
        if not cell:
            read[name] = None
        elif cell in as_json or name in {"ban", "public_metadata", "private_metadata", "version"}:
            read[name] = msgspec.json.decode(cell)
        else:
            read[name] = as_written(cell)
    return read


async def test_every_filter_and_the_words_select(app: RunningApp, exports: UsersExportService, tenant: str) -> None:
    users = people(150)
    organization = (await app.call(await app.make_key(tenant), "POST", "/v1/organizations", {"name": "Acme"})).json()[
        "id"
    ]
    members = {organization: [user.id for user in users[::3]]}
    await insert_people(app.services.database, tenant, users, members)
    cases: list[tuple[dict[str, Any], UserFilter, str]] = [
        ({"query": "garcia jos"}, UserFilter(), "garcia jos"),
        ({"query": "an", "role": "member"}, UserFilter(role="member"), "an"),
        ({"email": users[3].email.upper()}, UserFilter(email_key=users[3].email_key), ""),
        ({"external_id": "ext-5"}, UserFilter(external_id="ext-5"), ""),
        ({"organization_id": organization}, UserFilter(organization_id=organization), ""),
        (
            {"organization_id": organization, "query": "example"},
            UserFilter(organization_id=organization),
            "example",
        ),
        ({"mfa_enrolled": True, "disabled": False}, UserFilter(mfa_enrolled=True, disabled=False), ""),
        ({"email_verified": False}, UserFilter(email_verified=False), ""),
        *(({"status": status}, UserFilter(status=status), "") for status in UserStatus),
    ]
    for query, wanted, words in cases:
        expected = in_order([one for one in users if is_wanted(one, wanted, words, members, START_MS)], NEWEST)
        lines = await exported(exports, app.context(tenant), **query)
        assert [line.id for line in lines] == [user.id for user in expected], query
    assert {len(await exported(exports, app.context(tenant), **query)) > CHUNK for query, _, _ in cases} == {
        True,
        False,
    }


async def test_times_select(app: RunningApp, tenant: str) -> None:
    users = people(80)
    await insert_people(app.services.database, tenant, users)
    key = await app.make_key(tenant)
    moment = "2025-06-01T00:00:00Z"
    shown = {}
    for name in ("created_after", "created_before", "last_active_after", "last_active_before"):
        answer = await app.call(key, "GET", f"/v1/admin/users/export?{name}={moment}")
        shown[name] = {line["id"]: line for line in map(msgspec.json.decode, answer.content.splitlines())}
        found = await app.call(key, "POST", "/v1/admin/users/search", {"filters": {name: moment}, "limit": 100})
        assert shown[name].keys() == {user["id"] for user in found.json()["data"]}
    assert all(shown[name] for name in ("created_after", "created_before", "last_active_after"))


async def test_whoever_was_there_throughout_is_in_it_once(
    app: RunningApp, exports: UsersExportService, tenant: str
) -> None:
    users = people(120, seed=3)
    database = app.services.database
    await insert_people(database, tenant, users)
    there = {user.id for user in users if user.deleted_at is None}
    changeable = [user.id for user in users if user.deleted_at is None and user.role == "member"]
    chance = random.Random(5)
    key = await app.make_key(tenant)
    lines: list[UserBody] = []
    gone: set[str] = set()
    number = 1_000
    async for part in await parts_of(exports, app.context(tenant)):
        lines += msgspec.json.Decoder(UserBody).decode_lines(part)
        number += 1
        await insert_people(database, tenant, [person(number, created_at=chance.choice(users).created_at)])
        erased = chance.choice(sorted(there - gone))
        gone.add(erased)
        await erase_person(database, tenant, erased)
        changed = chance.choice(changeable)
        body = {
            "name": f"Changed {number}",
            "email": f"changed.{number}@example.com",
            "disabled": chance.random() < 0.5,
        }
        await app.call(key, "PATCH", f"/v1/users/{changed}", body)

    ids = [line.id for line in lines]
    assert len(ids) == len(set(ids))
    assert there - gone <= set(ids)
    assert len(gone) > 10


async def test_states_that_end_are_judged_by_the_beginning(
    app: RunningApp, exports: UsersExportService, tenant: str
) -> None:
    users = [person(number, locked_until=START_MS + 1_000) for number in range(2 * CHUNK)]
    await insert_people(app.services.database, tenant, users)
    parts = await parts_of(exports, app.context(tenant), status=UserStatus.LOCKED)
    first = await anext(parts)
    app.services.clock.advance(60)  # type: ignore[attr-defined] - the clock of tests
    rest = [part async for part in parts]

    statuses = [msgspec.json.decode(line)["status"] for line in b"".join([first, *rest]).splitlines()]
    assert statuses == ["locked"] * len(users)


async def test_who_may_not_is_told_at_once(app: RunningApp, exports: UsersExportService, tenant: str) -> None:
    context = await caller(app, tenant, "users:export")
    await insert_people(app.services.database, tenant, [person(number) for number in range(20)])
    assert len(await exported(exports, context)) == 20
    await insert_people(app.services.database, tenant, [person(99, role="admin", created_at=1)])
    with pytest.raises(InsufficientScope) as refused:
        await exported(exports, context)
    assert refused.value.missing == ("admins:manage",)
    for query in ({"role": "admin"}, {"query": "person"}, {"role": "admin", "query": "person99"}):
        with pytest.raises(InsufficientScope):
            await exported(exports, context, **query)
    assert len(await exported(exports, context, role="member")) == 20
    assert await exported(exports, context, role="super_admin") == []
    assert len(await exported(exports, await caller(app, tenant, "users:export", "admins:manage"))) == 21
    entries = await app.services.audit.list_entries(tenant, of_exports())
    assert len(entries.rows) == 4


async def test_a_role_of_ones_own_can_be_privileged(app: RunningApp, exports: UsersExportService, tenant: str) -> None:
    key = await app.make_key(tenant)
    for name, privileged in (("auditor", True), ("guest", False)):
        assert (await app.call(key, "POST", "/v1/roles", {"name": name, "privileged": privileged})).is_success
    await insert_people(app.services.database, tenant, [person(1, role="auditor"), person(2, role="guest")])
    context = await caller(app, tenant, "*")
    assert [line.role for line in await exported(exports, context, role="guest")] == ["guest"]
    for query in ({}, {"role": "auditor"}):
        with pytest.raises(InsufficientScope):
            await exported(exports, context, **query)


async def test_it_breaks_off_before_somebody_who_was_made_an_administrator_meanwhile(
    app: RunningApp, exports: UsersExportService, tenant: str
) -> None:
    users = [person(number) for number in range(3 * CHUNK)]
    await insert_people(app.services.database, tenant, users)
    parts = await parts_of(exports, await caller(app, tenant, "users:export"))
    await anext(parts)
    key = await app.make_key(tenant)
    assert (await app.call(key, "PATCH", f"/v1/users/{users[0].id}", {"role": "admin"})).is_success
    with pytest.raises(InsufficientScope):
        [part async for part in parts]


async def test_it_ends_with_its_key_and_its_tenant(app: RunningApp, exports: UsersExportService, tenant: str) -> None:
    await insert_people(app.services.database, tenant, [person(number) for number in range(3 * CHUNK)])
    revoked, suspended = [await caller(app, tenant, "users:export") for _ in range(2)]
    parts = await parts_of(exports, revoked)
    await anext(parts)
    await app.services.keys.revoke_key(app.context(tenant), revoked.principal.id)
    with pytest.raises(InvalidApiKey):
        [part async for part in parts]
    parts = await parts_of(exports, suspended)
    await anext(parts)
    master = await app.make_master_key()
    assert (await app.call(master, "POST", f"/v1/tenants/{tenant}/suspend", {})).is_success
    with pytest.raises(TenantSuspended):
        [part async for part in parts]


async def test_the_entry_is_there_before_the_first_user_and_names_nobody(
    app: RunningApp, exports: UsersExportService, tenant: str
) -> None:
    await insert_people(app.services.database, tenant, [person(1)])
    query = {"query": "person1", "email": "person1@example.com", "external_id": "x", "disabled": False}
    await parts_of(exports, app.context(tenant), **query, format=ExportFormat.CSV)

    [entry] = (await app.services.audit.list_entries(tenant, of_exports())).rows
    assert entry.metadata == {
        "format": "csv",
        "filters": {"query": "given", "email": "given", "external_id": "given", "disabled": False},
    }
    assert (entry.actor.type, entry.resource and entry.resource.id) == ("cli", None)


async def test_a_question_that_cannot_be_asked_is_refused_and_not_recorded(
    app: RunningApp, exports: UsersExportService, tenant: str
) -> None:
    with pytest.raises(Invalid):
        await parts_of(exports, app.context(tenant), query="!")
    assert (await app.services.audit.list_entries(tenant, of_exports())).rows == []


async def test_another_tenants_users_are_in_no_export(app: RunningApp, exports: UsersExportService) -> None:
    mine, theirs = await app.make_tenant("Mine"), await app.make_tenant("Theirs")
    await insert_people(app.services.database, mine, [person(number) for number in range(20)])
    await insert_people(app.services.database, theirs, [person(number) for number in range(100, 110)])
    for tenant_id, expected in ((mine, range(20)), (theirs, range(100, 110))):
        lines = await exported(exports, app.context(tenant_id))
        assert {line.email for line in lines} == {f"person{number}@example.com" for number in expected}
        found = await exported(exports, app.context(tenant_id), query="person")
        assert len(found) == len(expected)


async def test_password_hashes_are_in_it_only_if_they_are_asked_for(
    app: RunningApp, exports: UsersExportService, tenant: str
) -> None:
    key = await app.make_key(tenant)
    bodies: list[dict[str, Any]] = [{"email": "a@example.com", "password": "correct-horse-battery-staple"}]
    bodies += [{"email": "b@example.com"}]
    for body in bodies:
        assert (await app.call(key, "POST", "/v1/users", body)).is_success
    plain = b"".join([part async for part in await parts_of(exports, app.context(tenant))])
    assert b"argon2" not in plain
    assert b"password_hash" not in plain

    parts = await parts_of(exports, app.context(tenant), with_password_hashes=True)
    lines = [msgspec.json.decode(line) for line in b"".join([part async for part in parts]).splitlines()]

    hashes = {line["email"]: line.pop("password_hash") for line in lines}
    assert hashes["a@example.com"].startswith("$argon2id$")
    assert hashes["b@example.com"] is None
    assert lines == [msgspec.json.decode(line) for line in plain.splitlines()]
    rows = await parts_of(exports, app.context(tenant), with_password_hashes=True, format=ExportFormat.CSV)
    text = b"".join([part async for part in rows]).decode()
    head, *found = csv.reader(io.StringIO(text, newline=""))
    assert head[-1] == "password_hash"
    assert {row[1]: row[-1] or None for row in found} == hashes
    entries = (await app.services.audit.list_entries(tenant, of_exports())).rows
    assert [entry.metadata.get("with_password_hashes") for entry in entries] == [True, True, None]
