"""The end of the time in the recycle bin: who is erased, once, and that nothing of the person is left."""

import asyncio
from typing import Any, Final

from hellojohn_server.features.expiry.service import ExpiryService
from hellojohn_server.features.user_access.schemas import BanUserBody, DisableUserBody, ReasonBody
from hellojohn_server.kit.retention import RECYCLE_BIN_MS
from hellojohn_server.storage.database import Database, Transaction
from hellojohn_server.storage.sql import TENANT_TABLES, Kind, Statement
from tests.conftest import START_MS, ManualClock
from tests.features.search.people import insert_people, person
from tests.features.tenants.parts import key_context, retry_key
from tests.features.users.parts import ADMIN, UserParts, told, with_retry

DAY: Final = 86_400
OVERDUE: Final = START_MS + RECYCLE_BIN_MS
NO_REASON: Final = ReasonBody()
PUT = (
    Statement(
        """
        INSERT INTO memberships (tenant_id, organization_id, user_id, role, created_at)
        VALUES (:tenant_id, 'org_1', :user_id, 'member', 0)
        """,
        kind=Kind.BOOKKEEPING,
    ),
    Statement(
        """
        INSERT INTO emails (
            tenant_id, id, user_id, template, to_address, address_key, status, attempts, give_up_at, created_at,
            purge_at
        )
        VALUES (:tenant_id, 'eml_' || :user_id, :user_id, 'email_changed', 'x', 'x', 'sent', 1, 0, 0, 0)
        """,
        kind=Kind.BOOKKEEPING,
    ),
    Statement(
        """
        INSERT INTO mfa_factors (tenant_id, id, user_id, type, created_at)
        VALUES (:tenant_id, 'fac_' || :user_id, :user_id, 'totp', 0)
        """,
        kind=Kind.BOOKKEEPING,
    ),
    Statement(
        """
        INSERT INTO mfa_backup_codes (tenant_id, user_id, code_hash, created_at)
        VALUES (:tenant_id, :user_id, 'x', 0)
        """,
        kind=Kind.BOOKKEEPING,
    ),
    Statement(
        "INSERT INTO plan_users (tenant_id, plan_id, user_id) VALUES (:tenant_id, 'plan_1', :user_id)",
        kind=Kind.BOOKKEEPING,
    ),
    Statement(
        """
        INSERT INTO job_users (tenant_id, job_id, user_id, outcome) VALUES (:tenant_id, 'job_1', :user_id, 'changed')
        """,
        kind=Kind.BOOKKEEPING,
    ),
    Statement(
        """
        INSERT INTO mfa_failures (tenant_id, user_id, failures, expires_at)
        VALUES (:tenant_id, :user_id, 1, 9000000000000)
        """,
        kind=Kind.BOOKKEEPING,
    ),
)
PUT_CHALLENGE = Statement(
    """
    INSERT INTO mfa_challenges (tenant_id, challenge_hash, user_id, generation, password_mark, expires_at)
    VALUES (:tenant_id, :challenge_hash, :user_id, 1, :challenge_hash, :expires_at)
    """,
    kind=Kind.BOOKKEEPING,
)
PUT_TOKEN = Statement(
    """
    INSERT INTO action_tokens (
        tenant_id, id, purpose, user_id, token_hash, address_hash, created_at, expires_at, consumed_at
    )
    VALUES (:tenant_id, 'lnk_' || :user_id, 'invitation', :user_id, :token_hash, :address_hash, 0, :expires_at, 1)
    """,
    kind=Kind.BOOKKEEPING,
)
PUT_FAILURES = Statement(
    """
    INSERT INTO sign_in_failures (tenant_id, address_hash, expires_at)
    VALUES (:tenant_id, :address_hash, :expires_at)
    """,
    kind=Kind.BOOKKEEPING,
)
PUT_EMAIL_TO = Statement(
    """
    INSERT INTO emails (
        tenant_id, id, template, to_address, address_key, status, attempts, give_up_at, created_at, purge_at
    )
    VALUES (:tenant_id, 'eml_' || :address, 'organization_invitation', :address, :address, 'sent', 1, 0, 0, 0)
    """,
    kind=Kind.BOOKKEEPING,
)
PUT_INVITATION = Statement(
    """
    INSERT INTO organization_invitations (
        tenant_id, id, organization_id, email, email_key, role, token_hash, invited_by, created_at, sent_at, expires_at
    )
    VALUES (
        :tenant_id, 'inv_' || :address, 'org_1', :address, :address, 'member', :token_hash, 'key_1', 0, 0, :expires_at
    )
    """,
    kind=Kind.BOOKKEEPING,
)
COUNT_DELETED = Statement("SELECT count(*) FROM users WHERE tenant_id = :tenant_id AND deleted_at IS NOT NULL")
LIST_ADDRESSES = Statement("SELECT address_hash, banned_until FROM banned_addresses WHERE tenant_id = :tenant_id")
LIST_DOCUMENTS = Statement("SELECT document FROM audit_values WHERE tenant_id = :tenant_id AND subject_id = :user_id")
OWN_ROWS = {
    "users": "id = :user_id",
    "sessions": "user_id = :user_id",
    "memberships": "user_id = :user_id",
    "mfa_factors": "user_id = :user_id",
    "mfa_backup_codes": "user_id = :user_id",
    "mfa_challenges": "user_id = :user_id",
    "mfa_failures": "user_id = :user_id",
    "action_tokens": "user_id = :user_id OR address_hash = :address_hash",
    "emails": "user_id = :user_id OR address_key = :address",
    "organization_invitations": "email_key = :address",
    "sign_in_failures": "address_hash = :address_hash",
    "audit_values": "subject_id = :user_id OR document LIKE '%alice%'",
    "idempotency_records": "subject_id = :user_id",
    "job_users": "user_id = :user_id",
    "plan_users": "user_id = :user_id",
}
"""Where something of a person may be."""


async def erased(parts: UserParts, tenant_id: str) -> list[tuple[Any, ...]]:
    """Return what the entries of `system` say."""
    return told(await parts.entries(tenant_id, actor_type="system"))


async def bin_user(parts: UserParts, tenant_id: str, email: str = "alice@example.com", **values: Any) -> str:
    """Make a user, move the user to the recycle bin now, and return the id."""
    made = await parts.make(tenant_id, email, **values)
    await parts.access.delete_user(key_context(tenant_id, scopes=ADMIN), made.id, NO_REASON)
    return made.id


async def test_who_was_in_the_bin_for_thirty_days_is_erased(
    parts: UserParts, expiry: ExpiryService, clock: ManualClock, tenant_id: str
) -> None:
    admin = await parts.make(tenant_id, "boss@example.com", role="super_admin")
    roles = ("member", "super_admin")
    user_ids = [await bin_user(parts, tenant_id, f"{role}@example.com", role=role) for role in roles]
    clock.advance(DAY)
    later = await bin_user(parts, tenant_id, "later@example.com")
    restored = await bin_user(parts, tenant_id, "restored@example.com")
    clock.advance(29 * DAY - 0.001)
    await parts.access.restore_user(key_context(tenant_id, scopes=ADMIN), restored, NO_REASON)
    await expiry.purge_recycle_bin(tenant_id, clock.now_ms())
    assert await erased(parts, tenant_id) == []
    assert (await parts.stored(tenant_id, user_ids[0])).deleted_at == START_MS

    clock.advance(0.001)
    for _ in range(2):
        await expiry.purge_recycle_bin(tenant_id, clock.now_ms())
    entries = await erased(parts, tenant_id)
    assert sorted(entries, key=str) == sorted(
        (("user.erased", user_id, None, {}, {"sessions_revoked": 0}) for user_id in user_ids), key=str
    )
    for user_id in (admin.id, later, restored):
        assert (await parts.stored(tenant_id, user_id)).id == user_id
    assert await parts.counted(tenant_id) == await parts.recounted(tenant_id)
    clock.advance(DAY + 1)
    await expiry.purge_recycle_bin(tenant_id, clock.now_ms())
    assert (await erased(parts, tenant_id))[2:] == [("user.erased", later, None, {}, {"sessions_revoked": 0})]


def test_every_table_that_may_hold_a_person_is_looked_at() -> None:
    of_no_person = {
        "api_keys",
        "audit_denials",
        "audit_entries",
        "banned_addresses",
        "jobs",
        "organizations",
        "plans",
        "revocations",
        "roles",
        "tenant_settings",
        "import_refused_rows",
        "imports",
        "used_passkey_challenges",
        "user_counter_deltas",
        "user_counters",
        "user_sequence_runs",
    }
    assert set(OWN_ROWS) | of_no_person == TENANT_TABLES


async def test_nothing_of_the_person_is_left_and_others_keep_theirs(
    parts: UserParts, expiry: ExpiryService, database: Database, clock: ManualClock, tenant_id: str
) -> None:
    other = await parts.make(tenant_id, "bob@example.com")
    context = with_retry(key_context(tenant_id, scopes=ADMIN), retry_key())
    made = await parts.make(tenant_id)
    await parts.access.disable_user(context, made.id, DisableUserBody())
    for user_id, address in ((made.id, "alice@example.com"), (other.id, "bob@example.com")):
        await put_belongings(parts, database, tenant_id, user_id, address)
    await parts.access.delete_user(key_context(tenant_id), made.id, ReasonBody(reason="alice asked for it"))
    held = await rows_of(parts, tenant_id, made.id, "alice@example.com")
    assert all(held.values()), held

    await expiry.purge_recycle_bin(tenant_id, OVERDUE)

    left = await rows_of(parts, tenant_id, made.id, "alice@example.com")
    assert left == {**dict.fromkeys(OWN_ROWS, 0), "audit_values": 1}
    assert await parts.rows(tenant_id, LIST_DOCUMENTS, user_id=made.id) == [
        ('{"changes":{},"metadata":{"sessions_revoked":0},"reason":null}',)
    ]
    kept = await rows_of(parts, tenant_id, other.id, "bob@example.com")
    assert {table for table, rows in kept.items() if not rows} == {"idempotency_records"}
    assert await parts.rows(tenant_id, LIST_ADDRESSES) == []
    about = [entry for entry in await parts.entries(tenant_id) if entry.resource and entry.resource.id == made.id]
    assert [(entry.type, entry.personal_data_erased) for entry in about] == [
        ("user.created", True),
        ("user.disabled", True),
        ("user.deleted", True),
        ("user.erased", False),
    ]


async def put_belongings(parts: UserParts, database: Database, tenant_id: str, user_id: str, address: str) -> None:
    await parts.add_session(tenant_id, user_id)

    async def command(tx: Transaction) -> None:
        for statement in PUT:
            await tx.execute(statement, user_id=user_id)
        await tx.execute(PUT_EMAIL_TO, address=address)
        address_hash = parts.addresses.hash(tenant_id, address)
        await tx.execute(PUT_FAILURES, address_hash=address_hash, expires_at=OVERDUE + 1)
        of_challenge = {"challenge_hash": address.encode(), "expires_at": OVERDUE + 1}
        await tx.execute(PUT_CHALLENGE, user_id=user_id, **of_challenge)
        of_token = {"token_hash": address.encode(), "address_hash": address_hash, "expires_at": OVERDUE + 1}
        await tx.execute(PUT_TOKEN, user_id=user_id, **of_token)
        of_invitation = {"token_hash": address.encode(), "expires_at": OVERDUE + 1}
        await tx.execute(PUT_INVITATION, address=address, **of_invitation)

    await database.write(tenant_id, command, type(None))


async def rows_of(parts: UserParts, tenant_id: str, user_id: str, address: str) -> dict[str, int]:
    """Return how many rows each table has of a person."""
    values = {"user_id": user_id, "address": address, "address_hash": parts.addresses.hash(tenant_id, address)}
    counts: dict[str, int] = {}
    for table, condition in OWN_ROWS.items():
        statement = Statement(f"SELECT count(*) FROM {table} WHERE tenant_id = :tenant_id AND ({condition})")
        given = {name: value for name, value in values.items() if name in statement.names}
        counts[table] = (await parts.rows(tenant_id, statement, **given))[0][0]
    return counts


async def test_of_16_at_once_one_erases(parts: UserParts, expiry: ExpiryService, tenant_id: str) -> None:
    user_ids = [await bin_user(parts, tenant_id, f"{name}@example.com") for name in "abc"]
    await asyncio.gather(*(expiry.purge_recycle_bin(tenant_id, OVERDUE) for _ in range(16)))
    assert sorted(entry[1] for entry in await erased(parts, tenant_id)) == sorted(user_ids)
    assert await parts.counted(tenant_id) == await parts.recounted(tenant_id) == {}


async def test_a_user_is_either_restored_or_erased(parts: UserParts, expiry: ExpiryService, tenant_id: str) -> None:
    for number in range(8):
        user_id = await bin_user(parts, tenant_id, f"user{number}@example.com")
        context = key_context(tenant_id, scopes=ADMIN)
        restoring, _ = await asyncio.gather(
            parts.access.restore_user(context, user_id, NO_REASON),
            expiry.purge_recycle_bin(tenant_id, OVERDUE),
            return_exceptions=True,
        )
        was_erased = user_id in [entry[1] for entry in await erased(parts, tenant_id)]
        assert was_erased == isinstance(restoring, Exception), restoring
    assert await parts.counted(tenant_id) == await parts.recounted(tenant_id)


async def test_another_tenant_keeps_its_own(
    parts: UserParts, expiry: ExpiryService, tenant_id: str, other_tenant_id: str
) -> None:
    for tenant in (tenant_id, other_tenant_id):
        await bin_user(parts, tenant)
    await expiry.purge_recycle_bin(tenant_id, OVERDUE)
    assert await parts.rows(tenant_id, COUNT_DELETED) == [(0,)]
    assert await parts.rows(other_tenant_id, COUNT_DELETED) == [(1,)]
    assert await erased(parts, other_tenant_id) == []


async def test_the_address_of_one_who_is_banned_stays_closed_until_the_ban_ends(
    parts: UserParts, expiry: ExpiryService, clock: ManualClock, tenant_id: str
) -> None:
    made = await parts.make(tenant_id)
    context = key_context(tenant_id)
    await parts.access.ban_user(context, made.id, BanUserBody(expires_in="40d"))
    await parts.access.delete_user(context, made.id, NO_REASON)
    clock.advance(30 * DAY)
    await expiry.purge_recycle_bin(tenant_id, clock.now_ms())
    ends_at = START_MS + 40 * DAY * 1000
    closed = [(parts.addresses.hash(tenant_id, "alice@example.com"), ends_at)]
    assert await parts.rows(tenant_id, LIST_ADDRESSES) == closed
    await expiry.purge_addresses(tenant_id, ends_at - 1)
    assert await parts.rows(tenant_id, LIST_ADDRESSES) == closed
    await expiry.purge_addresses(tenant_id, ends_at)
    assert await parts.rows(tenant_id, LIST_ADDRESSES) == []


async def test_it_says_when_there_is_more(
    parts: UserParts, expiry: ExpiryService, database: Database, clock: ManualClock, tenant_id: str
) -> None:
    assert await database.read(tenant_id, expiry.get_next_bin_purge) is None
    await parts.make(tenant_id, "active@example.com")
    for name in "ab":
        await bin_user(parts, tenant_id, f"{name}@example.com")
        clock.advance(1)
    assert await database.read(tenant_id, expiry.get_next_bin_purge) == OVERDUE


async def test_a_full_bin_is_emptied_in_small_steps_with_reads_between_them(
    parts: UserParts, expiry: ExpiryService, database: Database, tenant_id: str
) -> None:
    await insert_people(database, tenant_id, [person(number, deleted_at=START_MS) for number in range(1000)])
    emptying = asyncio.create_task(expiry.purge_recycle_bin(tenant_id, OVERDUE))
    seen: set[int] = set()
    while not emptying.done():
        seen.add((await parts.rows(tenant_id, COUNT_DELETED))[0][0])
        # A quick read on SQLite ends without suspending; without a turn here the emptying waits for slow ones.
        await asyncio.sleep(0)
    await emptying

    assert await parts.rows(tenant_id, COUNT_DELETED) == [(0,)]
    assert seen <= set(range(0, 1001, 100))
    assert seen - {0, 1000}
