"""Erasing on both stores: nothing of the person is left, and the audit log still stands."""

import asyncio

import pytest

from hellojohn_server.features.audit.events import Event, Part, PartState
from hellojohn_server.features.mfa.repository import insert_factors
from hellojohn_server.features.mfa.schemas import Factor, FactorType
from hellojohn_server.features.organizations.repository import insert_memberships
from hellojohn_server.features.organizations.schemas import Membership
from hellojohn_server.features.user_access.schemas import BanUserBody, ReasonBody
from hellojohn_server.features.users.errors import EmailBanned, LastSuperAdmin, UserNotFound
from hellojohn_server.kit.errors import InsufficientScope, VersionMismatch
from hellojohn_server.kit.principal import system_context
from hellojohn_server.storage.database import Transaction
from hellojohn_server.storage.sql import Statement
from tests.conftest import START_MS
from tests.features.recorder import recorded
from tests.features.tenants.parts import key_context, retry_key
from tests.features.user_access.test_unlock import counted_failures, fail
from tests.features.users.parts import ADMIN, UserParts, change, told, with_retry, with_version

NAME = "Alice Unmistakable"
OF_USER = {
    table: Statement(f"SELECT * FROM {table} WHERE tenant_id = :tenant_id AND user_id = :user_id")
    for table in ("memberships", "mfa_factors", "sessions")
} | {"users": Statement("SELECT * FROM users WHERE tenant_id = :tenant_id AND id = :user_id")}
LIST_VALUES = Statement("SELECT document FROM audit_values WHERE tenant_id = :tenant_id")
LIST_ANSWERS = Statement("SELECT subject_id FROM idempotency_records WHERE tenant_id = :tenant_id")
LIST_CLOSED = Statement("SELECT address_hash, banned_until FROM banned_addresses WHERE tenant_id = :tenant_id")


async def furnish(parts: UserParts, tenant_id: str, user_id: str) -> None:
    """Give a user one of everything."""
    await parts.add_session(tenant_id, user_id)
    await parts.add_session(tenant_id, user_id, lasts=-1, access_lasts=-1)
    await fail(parts, tenant_id, "alice@example.com")

    async def command(tx: Transaction) -> None:
        await insert_factors(tx, [Factor("fac_1", user_id, FactorType.TOTP, None, 1, 1)])
        await insert_memberships(tx, [Membership("org_1", user_id, "owner", 1)])
        await parts.log.record(tx, key_context(tenant_id), Event("thing.done"))

    await parts.database.write(tenant_id, command, type(None))


async def left(parts: UserParts, tenant_id: str, user_id: str) -> dict[str, int]:
    """Return how many rows of each table are of the user, where there are any."""
    found = {table: len(await parts.rows(tenant_id, of, user_id=user_id)) for table, of in OF_USER.items()}
    return {table: rows for table, rows in found.items() if rows}


@pytest.mark.parametrize("binned", [False, True])
async def test_nothing_of_the_person_is_left(parts: UserParts, tenant_id: str, binned: bool) -> None:
    context = key_context(tenant_id)
    made = await parts.make(tenant_id, name=NAME)
    other = await parts.make(tenant_id, "bob@example.com", name="Bob")
    await parts.users.update_user(with_retry(context, retry_key()), made.id, change(phone="+14155552671"))
    await furnish(parts, tenant_id, made.id)
    if binned:
        await parts.access.delete_user(context, made.id, ReasonBody(reason=f"{NAME} asked"))
    assert await left(parts, tenant_id, made.id) == {"memberships": 1, "mfa_factors": 1, "sessions": 2, "users": 1}
    before = await parts.entries(tenant_id)

    await parts.access.erase_user(context, made.id)

    assert await left(parts, tenant_id, made.id) == {}
    assert await counted_failures(parts, tenant_id) == 0
    assert await parts.rows(tenant_id, LIST_ANSWERS) == []
    assert await parts.rows(tenant_id, LIST_CLOSED) == []
    documents = " ".join(document for (document,) in await parts.rows(tenant_id, LIST_VALUES))
    assert "alice" not in documents
    assert NAME not in documents
    assert "Bob" in documents
    assert await parts.counted(tenant_id) == await parts.recounted(tenant_id) == {"total": 1, "role:member": 1}
    with pytest.raises(UserNotFound):
        await parts.users.get_user(tenant_id, made.id)
    assert await parts.users.get_user(tenant_id, other.id) == other
    entries = await parts.entries(tenant_id)
    revoked = 0 if binned else 1
    assert told(entries)[len(before) :] == [("user.erased", made.id, None, {}, {"sessions_revoked": revoked})]
    assert [entry.id for entry in entries[: len(before)]] == [entry.id for entry in before]
    for entry in entries:
        about = entry.resource is not None and entry.resource.id == made.id
        erased = about and entry.type != "user.erased"
        states = await parts.reader.verify_entry(tenant_id, entry.id)
        assert states == {
            Part.ACTOR: PartState.INTACT,
            Part.RESOURCE: PartState.DESTROYED if erased else PartState.INTACT,
        }
        assert entry.personal_data_erased is erased
    again = await parts.make(tenant_id)
    assert again.id != made.id


@pytest.mark.parametrize("until", [None, START_MS + 3_600_000])
async def test_the_address_of_a_banned_user_stays_closed(
    parts: UserParts, tenant_id: str, other_tenant_id: str, monkeypatch: pytest.MonkeyPatch, until: int | None
) -> None:
    made = await parts.make(tenant_id)
    context = key_context(tenant_id)
    ban = BanUserBody(reason="spam", expires_in=None if until is None else "1h")
    await parts.access.ban_user(context, made.id, ban)
    with recorded(parts.database, monkeypatch) as transactions:
        await parts.access.erase_user(context, made.id)
    assert transactions[-1].due == ([] if until is None else [until])
    closed = parts.addresses.hash(tenant_id, "alice@example.com")
    assert await parts.rows(tenant_id, LIST_CLOSED) == [(closed, until)]
    with pytest.raises(EmailBanned):
        await parts.make(tenant_id, "Alice@example.com")
    await parts.make(other_tenant_id)
    parts.clock.advance(3600)
    if until is None:
        with pytest.raises(EmailBanned):
            await parts.make(tenant_id)
        return
    again = await parts.make(tenant_id)
    await parts.access.ban_user(context, again.id, BanUserBody())
    await parts.access.erase_user(context, again.id)
    assert await parts.rows(tenant_id, LIST_CLOSED) == [(closed, None)]


async def test_a_ban_that_has_ended_closes_nothing(parts: UserParts, tenant_id: str) -> None:
    made = await parts.make(tenant_id)
    context = key_context(tenant_id)
    await parts.access.ban_user(context, made.id, BanUserBody(expires_in="1h"))
    parts.clock.advance(3600)
    await parts.access.erase_user(context, made.id)
    assert await parts.rows(tenant_id, LIST_CLOSED) == []


async def test_refusals(parts: UserParts, tenant_id: str, other_tenant_id: str) -> None:
    admin = await parts.make(tenant_id, role="admin")
    last = await parts.make(tenant_id, "bob@example.com", role="super_admin")
    context = key_context(tenant_id, scopes=ADMIN)
    with pytest.raises(InsufficientScope, match="scope"):
        await parts.access.erase_user(key_context(tenant_id, scopes=("users:write", "admins:manage")), admin.id)
    with pytest.raises(InsufficientScope):
        await parts.access.erase_user(key_context(tenant_id), admin.id)
    with pytest.raises(LastSuperAdmin):
        await parts.access.erase_user(context, last.id)
    with pytest.raises(UserNotFound):
        await parts.access.erase_user(key_context(other_tenant_id, scopes=ADMIN), admin.id)
    with pytest.raises(VersionMismatch):
        await parts.access.erase_user(with_version(context, 2), admin.id)
    assert len(await parts.entries(tenant_id)) == 2
    await parts.access.erase_user(with_version(context, 1), admin.id)


async def test_a_retry_outlives_the_person(parts: UserParts, tenant_id: str) -> None:
    made = await parts.make(tenant_id, role="admin")
    context = key_context(tenant_id, scopes=ADMIN)
    await parts.access.erase_user(with_retry(context, retry_key()), made.id)
    assert await parts.rows(tenant_id, LIST_ANSWERS) == [(None,)]
    again = with_retry(key_context(tenant_id), retry_key())
    await parts.access.erase_user(again, made.id)
    assert again.idempotency is not None
    assert again.idempotency.replayed
    with pytest.raises(UserNotFound):
        await parts.access.erase_user(context, made.id)
    assert [entry.type for entry in await parts.entries(tenant_id)] == ["user.created", "user.erased"]


async def test_the_service_itself_erases(parts: UserParts, tenant_id: str) -> None:
    made = [await parts.make(tenant_id, f"u{n}@example.com", role="super_admin") for n in range(2)]
    kept = await parts.make(tenant_id)
    for user in made:
        await parts.put(tenant_id, user.id, deleted_at=1)
    await parts.counters.rebuild_counters(tenant_id)

    async def command(tx: Transaction) -> None:
        locked = await parts.users.lock_users(tx, [user.id for user in made])
        await parts.acts.erase_locked(tx, system_context("req_purge", tenant_id), list(locked.values()))

    await parts.database.write(tenant_id, command, type(None))
    entries = await parts.entries(tenant_id, type="user.erased")
    assert {entry.actor.type for entry in entries} == {"system"}
    assert {entry[1] for entry in told(entries)} == {user.id for user in made}
    assert await parts.users.get_user(tenant_id, kept.id) == kept
    assert await parts.counted(tenant_id) == {"total": 1, "role:member": 1}


async def test_of_16_at_once_one_erases(parts: UserParts, tenant_id: str) -> None:
    made = await parts.make(tenant_id)
    await furnish(parts, tenant_id, made.id)
    context = key_context(tenant_id)
    outcomes = await asyncio.gather(
        *(parts.access.erase_user(context, made.id) for _ in range(16)), return_exceptions=True
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["NoneType"] + ["UserNotFound"] * 15
    assert len(await parts.entries(tenant_id, type="user.erased")) == 1
    assert await parts.counted(tenant_id) == {}


async def test_restoring_and_erasing_at_once(parts: UserParts, tenant_id: str) -> None:
    made = await parts.make(tenant_id)
    context = key_context(tenant_id)
    await parts.access.delete_user(context, made.id, ReasonBody())
    outcomes = await asyncio.gather(
        *(
            parts.access.restore_user(context, made.id, ReasonBody())
            if n % 2
            else parts.access.erase_user(context, made.id)
            for n in range(16)
        ),
        return_exceptions=True,
    )
    failed = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert all(isinstance(outcome, UserNotFound) for outcome in failed)
    assert [outcome is None for outcome in outcomes].count(True) == 1
    assert len(await parts.entries(tenant_id, type="user.erased")) == 1
    assert len(await parts.entries(tenant_id, type="user.restored")) <= 1
    assert await left(parts, tenant_id, made.id) == {}
    assert await parts.counted(tenant_id) == {}


async def test_an_address_that_is_just_being_erased_is_taken_by_nobody(parts: UserParts, tenant_id: str) -> None:
    made = await parts.make(tenant_id)
    context = key_context(tenant_id)
    await parts.access.ban_user(context, made.id, BanUserBody())
    outcomes = await asyncio.gather(
        parts.access.erase_user(context, made.id),
        *(parts.make(tenant_id) for _ in range(15)),
        return_exceptions=True,
    )
    assert outcomes[0] is None
    assert {type(outcome) for outcome in outcomes[1:]} == {EmailBanned}
