"""Keys over both stores: whom they stand for, who may make and revoke which, and the exact entries."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from hellojohn_server.features.keys import repository
from hellojohn_server.features.keys.errors import (
    ApiKeyExpired,
    ApiKeyNotFound,
    InvalidApiKey,
    InvalidPublishableKey,
)
from hellojohn_server.features.keys.schemas import (
    ApiKey,
    CreateKeyBody,
    ListKeysQuery,
    MadeKey,
    TenantKeyType,
    key_body,
)
from hellojohn_server.features.keys.service import require_never_upward
from hellojohn_server.features.tenants.errors import TenantNotFound, TenantSuspended
from hellojohn_server.features.tenants.schemas import CreateTenantBody
from hellojohn_server.kit.api_keys import Environment, compose_key, make_key
from hellojohn_server.kit.error_codes import FieldCode
from hellojohn_server.kit.errors import IdempotencyKeyReused, InsufficientScope, Invalid
from hellojohn_server.kit.ids import CONTROL_TENANT_ID, IdFactory
from hellojohn_server.kit.pagination import InvalidCursor
from hellojohn_server.kit.principal import ActorType, CredentialKind, cli_context
from hellojohn_server.kit.scopes import Scope
from hellojohn_server.storage.database import Database, Reader, Transaction
from tests.conftest import START_MS, ManualClock, OpenDatabase
from tests.features.keys.parts import DAY_MS, EVERYTHING, UNKNOWN_KEY, make, parsed, refusal_of
from tests.features.tenants.parts import Parts, key_context, master_context, retry_key

EVERY_SCOPE = tuple(scope.value for scope in Scope)


async def test_a_secret_key_stands_for_itself(parts: Parts, acme: str) -> None:
    made = await make(parts, acme, scopes=["users:read", "audit:*", "users:read"])
    assert made.key.startswith("sk_live_")
    assert made.api_key.hint == f"sk_live_…{made.key[-4:]}"
    assert made.api_key.scopes == ("audit:*", "users:read")
    principal = await parts.keys.authenticate(parsed(made.key))
    assert (principal.kind, principal.actor_type) == (CredentialKind.SECRET_KEY, ActorType.API_KEY)
    assert (principal.id, principal.name, principal.tenant_id) == (made.api_key.id, "backend", acme)
    assert principal.may(Scope.AUDIT_WRITE)
    assert not principal.may(Scope.USERS_WRITE)
    assert principal.expires_at is None


async def test_only_the_hash_of_a_key_is_stored(parts: Parts, acme: str) -> None:
    made = await make(parts, acme)
    digest = hashlib.sha256(made.key.encode()).digest()

    async def query(reader: Reader) -> ApiKey | None:
        return await repository.get_key_by_hash(reader, digest)

    assert await parts.database.read(acme, query) == made.api_key
    shown = msgspec.json.encode(await parts.entries(acme)) + msgspec.json.encode(key_body(made.api_key, START_MS))
    assert made.key.encode() not in shown
    assert made.key[30:].encode() not in shown


async def test_making_a_key_is_recorded(parts: Parts, acme: str) -> None:
    made = await make(parts, acme, scopes=["users:read"], expires_in="1d")
    [entry] = await parts.entries(acme)
    assert (entry.type, entry.result, entry.actor.id) == (
        "api_key.created",
        "success",
        "key_01HZZZZZZZZZZZZZZZZZZZZZZZ",
    )
    assert entry.resource is not None
    assert (entry.resource.id, entry.resource.type) == (made.api_key.id, "api_key")
    assert entry.changes == {
        "name": (None, "backend"),
        "type": (None, "secret"),
        "scopes": (None, ["users:read"]),
        "expires_at": (None, "2026-09-22T14:13:20.000Z"),
    }
    assert await parts.entries(CONTROL_TENANT_ID, type="api_key.*") == []


async def test_a_master_key_makes_a_tenants_key_in_its_name(parts: Parts, acme: str) -> None:
    body = CreateKeyBody(name="first", scopes=["*", "admins:manage"])
    made = await parts.keys.create_key(master_context(), acme, body)
    assert made.api_key.created_by == "key_01HYYYYYYYYYYYYYYYYYYYYYYY"
    [entry] = await parts.entries(acme)
    assert (entry.type, entry.actor.type, entry.tenant_id) == ("api_key.created", "master_key", acme)
    assert (await parts.keys.authenticate(parsed(made.key))).may(Scope.ADMINS_MANAGE)


async def test_a_publishable_key_has_no_scopes(parts: Parts, acme: str) -> None:
    made = await make(parts, acme, type="publishable")
    assert made.key.startswith("pk_live_")
    principal = await parts.keys.authenticate(parsed(made.key))
    assert (principal.kind, principal.scopes) == (CredentialKind.PUBLISHABLE_KEY, frozenset())
    refused = await refusal_of(make(parts, acme, type="publishable", scopes=["users:read"]))
    assert [detail.field for detail in refused.details] == ["scopes"]
    await parts.keys.revoke_key(key_context(acme), made.api_key.id)
    assert isinstance(await refusal_of(parts.keys.authenticate(parsed(made.key))), InvalidPublishableKey)


async def test_keys_have_the_environment_of_their_tenant(parts: Parts, acme: str, sandbox: str) -> None:
    made = await make(parts, sandbox)
    assert made.key.startswith("sk_test_")
    assert (await parts.keys.authenticate(parsed(made.key))).tenant_id == sandbox
    for prefix, tenant_id in (("sk_test_", acme), ("sk_live_", sandbox)):
        forged = compose_key(prefix, tenant_id, made.key[30:62])
        assert isinstance(await refusal_of(parts.keys.authenticate(parsed(forged))), InvalidApiKey)


async def test_a_key_opens_its_own_tenant_only(parts: Parts, acme: str, ids: IdFactory) -> None:
    made = await make(parts, acme)
    other = (await parts.tenants.create_tenant(master_context(), CreateTenantBody(name="Other"))).id
    moved = compose_key("sk_live_", other, made.key[30:62])
    assert isinstance(await refusal_of(parts.keys.authenticate(parsed(moved))), InvalidApiKey)
    assert isinstance(await refusal_of(parts.keys.require_key(other, made.api_key.id)), ApiKeyNotFound)
    revoking = parts.keys.revoke_key(key_context(other, scopes=EVERYTHING), made.api_key.id)
    assert isinstance(await refusal_of(revoking), ApiKeyNotFound)
    page = await parts.keys.list_keys(other, ListKeysQuery())
    assert (page.rows, page.pagination.total) == ([], 0)
    assert (await parts.keys.authenticate(parsed(made.key))).tenant_id == acme


async def test_a_key_of_another_kind_with_the_same_hash_is_none(parts: Parts, acme: str) -> None:
    made = await make(parts, acme, type="publishable")
    other_kind = msgspec.structs.replace(parsed(made.key), kind=CredentialKind.SECRET_KEY)
    assert isinstance(await refusal_of(parts.keys.authenticate(other_kind)), InvalidApiKey)


async def test_unknown_keys_and_tenants_are_refused_alike(parts: Parts, acme: str, tenant_id: str) -> None:
    """`tenant_id` has a store and no row in the control store."""
    refusals = []
    for owner in (acme, tenant_id, "tnt_01HXXXXXXXXXXXXXXXXXXXXXXX"):
        key, _, _ = make_key(CredentialKind.SECRET_KEY, Environment.LIVE, owner)
        refusals.append(await refusal_of(parts.keys.authenticate(parsed(key))))
    key, _, _ = make_key(CredentialKind.MASTER_KEY, Environment.LIVE, CONTROL_TENANT_ID)
    refusals.append(await refusal_of(parts.keys.authenticate(parsed(key))))
    assert {(type(refusal), refusal.message) for refusal in refusals} == {(InvalidApiKey, InvalidApiKey.message)}


async def test_an_expired_key_says_so(parts: Parts, acme: str, clock: ManualClock) -> None:
    made = await make(parts, acme, expires_in="1h")
    assert made.api_key.expires_at == START_MS + 3_600_000
    assert (await parts.keys.authenticate(parsed(made.key))).expires_at == made.api_key.expires_at
    clock.advance(3600)
    assert isinstance(await refusal_of(parts.keys.authenticate(parsed(made.key))), ApiKeyExpired)
    assert key_body(made.api_key, clock.now_ms()).status == "expired"
    await parts.keys.revoke_key(key_context(acme, scopes=EVERYTHING), made.api_key.id)
    assert isinstance(await refusal_of(parts.keys.authenticate(parsed(made.key))), InvalidApiKey)


async def test_a_suspended_tenants_keys_are_refused_to_their_holders(
    parts: Parts, acme: str, clock: ManualClock
) -> None:
    made, short = await make(parts, acme), await make(parts, acme, expires_in="1s")
    publishable = await make(parts, acme, type="publishable")
    never_made, _, _ = make_key(CredentialKind.SECRET_KEY, Environment.LIVE, acme)
    await parts.tenants.suspend_tenant(master_context(), acme, None)
    clock.advance(1)
    for key, error in (
        (made.key, TenantSuspended),
        (publishable.key, TenantSuspended),
        (short.key, ApiKeyExpired),
        (never_made, InvalidApiKey),
    ):
        assert isinstance(await refusal_of(parts.keys.authenticate(parsed(key))), error)
    await parts.tenants.resume_tenant(master_context(), acme)
    assert (await parts.keys.authenticate(parsed(made.key))).id == made.api_key.id


async def test_a_deleted_tenants_keys_are_no_keys(parts: Parts, acme: str) -> None:
    made = await make(parts, acme)
    await parts.tenants.delete_tenant(master_context(), acme, acme)
    assert isinstance(await refusal_of(parts.keys.authenticate(parsed(made.key))), InvalidApiKey)
    assert isinstance(await refusal_of(make(parts, acme)), TenantNotFound)


async def test_a_revocation_is_seen_at_once_by_everyone(
    parts: Parts, acme: str, open_database: OpenDatabase, ids: IdFactory, clock: ManualClock
) -> None:
    beside = Parts(await open_database(), ids, clock)
    made = await make(parts, acme)
    for _ in range(3):
        assert (await beside.keys.authenticate(parsed(made.key))).id == made.api_key.id
    await parts.keys.revoke_key(key_context(acme, scopes=EVERYTHING), made.api_key.id, "leaked")
    assert isinstance(await refusal_of(beside.keys.authenticate(parsed(made.key))), InvalidApiKey)
    back = await make(beside, acme)
    assert (await parts.keys.authenticate(parsed(back.key))).id == back.api_key.id
    await beside.tenants.suspend_tenant(master_context(), acme, None)
    assert isinstance(await refusal_of(parts.keys.authenticate(parsed(back.key))), TenantSuspended)
    await beside.database.close()


async def test_a_key_that_something_hangs_on_must_work(
    parts: Parts, acme: str, database: Database, clock: ManualClock
) -> None:
    made = await make(parts, acme, expires_in="1h")
    other = (await parts.tenants.create_tenant(master_context(), CreateTenantBody(name="Other"))).id

    async def ask(tenant_id: str, key_id: str) -> str:
        async def command(tx: Transaction) -> str:
            return (await parts.keys.require_alive(tx, key_id)).id

        return await database.write(tenant_id, command, str)

    assert await ask(acme, made.api_key.id) == made.api_key.id
    assert isinstance(await refusal_of(ask(other, made.api_key.id)), InvalidApiKey)
    assert isinstance(await refusal_of(ask(acme, "key_unknown")), InvalidApiKey)
    clock.advance(3600)
    assert isinstance(await refusal_of(ask(acme, made.api_key.id)), ApiKeyExpired)
    await parts.keys.revoke_key(key_context(acme, scopes=EVERYTHING), made.api_key.id)
    assert isinstance(await refusal_of(ask(acme, made.api_key.id)), InvalidApiKey)


async def test_revoking_is_recorded_once(parts: Parts, acme: str, clock: ManualClock) -> None:
    made = await make(parts, acme)
    context = key_context(acme, scopes=EVERYTHING)
    revoked = await parts.keys.revoke_key(context, made.api_key.id, "leaked")
    assert (revoked.revoked_at, revoked.revoked_reason) == (START_MS, "leaked")
    clock.advance(5)
    assert await parts.keys.revoke_key(context, made.api_key.id, "again") == revoked
    assert await parts.keys.require_key(acme, made.api_key.id) == revoked
    [entry] = await parts.entries(acme, type="api_key.revoked")
    assert (entry.reason, entry.changes) == ("leaked", {"revoked_at": (None, "2026-09-21T14:13:20.000Z")})
    assert isinstance(await refusal_of(parts.keys.revoke_key(context, UNKNOWN_KEY)), ApiKeyNotFound)


async def test_revocations_at_once_are_one_entry(parts: Parts, acme: str, open_database: OpenDatabase) -> None:
    made = await make(parts, acme)
    other = await open_database()
    beside = Parts(other, parts.ids, ManualClock())
    context = key_context(acme, scopes=EVERYTHING)
    answers = await asyncio.gather(
        *(each.keys.revoke_key(context, made.api_key.id, f"reason {n}") for n, each in enumerate([parts, beside] * 8))
    )
    await other.close()
    [entry] = await parts.entries(acme, type="api_key.revoked")
    assert {answer.revoked_reason for answer in answers} == {entry.reason}


async def test_retries_at_once_make_one_key(parts: Parts, acme: str) -> None:
    body = CreateKeyBody(name="backend")

    async def create(request: bytes = b"{}") -> MadeKey:
        context = key_context(acme, idempotency=retry_key(request))
        return await parts.keys.create_key(context, acme, body)

    made = await asyncio.gather(*(create() for _ in range(16)))
    assert len({answer.key for answer in made}) == 1
    assert (await parts.keys.authenticate(parsed(made[0].key))).id == made[0].api_key.id
    assert (await parts.keys.list_keys(acme, ListKeysQuery())).pagination.total == 1
    assert len(await parts.entries(acme)) == 1
    assert isinstance(await refusal_of(create(b'{"other":1}')), IdempotencyKeyReused)


@pytest.mark.parametrize(
    ("held", "wanted", "missing"),
    [
        (("*",), ["*"], []),
        (("*",), None, []),
        (("*",), ["users:*"], []),
        (("*",), ["admins:manage"], ["admins:manage"]),
        (("*", "admins:manage"), ["*", "admins:manage"], []),
        (("keys:write", "users:*"), ["users:read", "users:*"], []),
        (("keys:write", "users:read"), ["users:*"], ["users:*"]),
        (EVERY_SCOPE, [*EVERY_SCOPE], []),
        (EVERY_SCOPE, ["users:*", "users:read"], ["users:*"]),
        (EVERY_SCOPE, ["*"], ["*"]),
        (EVERY_SCOPE, None, ["*"]),
        (("keys:write",), ["audit:read", "users:read"], ["audit:read", "users:read"]),
    ],
)
async def test_a_key_is_given_only_what_its_maker_holds(
    parts: Parts, acme: str, held: tuple[str, ...], wanted: list[str] | None, missing: list[str]
) -> None:
    body = CreateKeyBody(name="x", scopes=wanted)
    making = parts.keys.create_key(key_context(acme, scopes=held), acme, body)
    if not missing:
        assert (await making).api_key.scopes == tuple(sorted(wanted or ["*"]))
        return
    refused = await refusal_of(making)
    assert isinstance(refused, InsufficientScope)
    assert list(refused.missing) == missing
    assert await parts.entries(acme) == []


async def test_unknown_scopes_are_named_each(parts: Parts, acme: str) -> None:
    body = CreateKeyBody(name="x", scopes=["users:read", "users:fly", "*:read", "admins:*"])
    refused = await refusal_of(parts.keys.create_key(key_context(acme), acme, body))
    assert isinstance(refused, Invalid)
    assert [(detail.field, detail.code) for detail in refused.details] == [
        (f"scopes[{index}]", FieldCode.UNKNOWN) for index in (1, 2, 3)
    ]


@pytest.mark.parametrize(
    ("expires_in", "ends_at"),
    [
        (None, START_MS + DAY_MS),
        ("1d", START_MS + DAY_MS),
        ("23h", START_MS + 23 * 3_600_000),
        ("86401s", None),
        ("2d", None),
    ],
)
async def test_a_key_ends_no_later_than_its_maker(
    parts: Parts, acme: str, expires_in: str | None, ends_at: int | None
) -> None:
    context = key_context(acme, expires_at=START_MS + DAY_MS)
    making = parts.keys.create_key(context, acme, CreateKeyBody(name="x", expires_in=expires_in))
    if ends_at is not None:
        assert (await making).api_key.expires_at == ends_at
        return
    refused = await refusal_of(making)
    assert [(detail.field, detail.code) for detail in refused.details] == [("expires_in", FieldCode.OUT_OF_RANGE)]


async def test_a_retry_is_answered_when_the_same_key_would_now_outlast_its_maker(
    parts: Parts, acme: str, clock: ManualClock
) -> None:
    body = CreateKeyBody(name="x", expires_in="1h")

    async def create(key: str) -> MadeKey:
        idempotency = retry_key(key=key)
        return await parts.keys.create_key(
            key_context(acme, expires_at=START_MS + 7_200_000, idempotency=idempotency), acme, body
        )

    made = await create("first")
    clock.advance(5400)
    assert await create("first") == made
    refused = await refusal_of(create("second"))
    assert [(detail.field, detail.code) for detail in refused.details] == [("expires_in", FieldCode.OUT_OF_RANGE)]
    assert len(await parts.entries(acme)) == 1


@pytest.mark.parametrize("expires_in", ["11y", "999999999y", "soon"])
async def test_a_lifetime_is_bounded(parts: Parts, acme: str, expires_in: str) -> None:
    refused = await refusal_of(make_unchecked(parts, acme, expires_in))
    assert [detail.field for detail in refused.details] == ["expires_in"]


async def make_unchecked(parts: Parts, tenant_id: str, expires_in: str) -> MadeKey:
    body = CreateKeyBody(name="x", expires_in=expires_in)
    return await parts.keys.create_key(key_context(tenant_id), tenant_id, body)


async def test_a_key_that_manages_admins_is_revoked_by_its_like_only(parts: Parts, acme: str) -> None:
    powerful = await make(parts, acme, scopes=["admins:manage"])
    refused = await refusal_of(parts.keys.revoke_key(key_context(acme, scopes=("*",)), powerful.api_key.id))
    assert isinstance(refused, InsufficientScope)
    assert refused.missing == (Scope.ADMINS_MANAGE,)
    assert (await parts.keys.authenticate(parsed(powerful.key))).id == powerful.api_key.id
    await parts.keys.revoke_key(key_context(acme, scopes=EVERYTHING), powerful.api_key.id)
    assert isinstance(await refusal_of(parts.keys.authenticate(parsed(powerful.key))), InvalidApiKey)


async def test_the_upward_check_runs_before_a_replay(parts: Parts, acme: str) -> None:
    powerful = await make(parts, acme, scopes=["admins:manage"])
    allowed = key_context(acme, scopes=EVERYTHING, idempotency=retry_key())
    await parts.keys.revoke_key(allowed, powerful.api_key.id)
    lesser = key_context(acme, scopes=("*",), idempotency=retry_key())
    assert isinstance(await refusal_of(parts.keys.revoke_key(lesser, powerful.api_key.id)), InsufficientScope)


def test_never_upward() -> None:
    lesser = key_context("tnt_1").principal
    require_never_upward(lesser, privileged=False)
    require_never_upward(key_context("tnt_1", scopes=EVERYTHING).principal, privileged=True)
    with pytest.raises(InsufficientScope):
        require_never_upward(lesser, privileged=True)


async def test_master_keys_are_made_and_revoked_on_the_host(parts: Parts, acme: str) -> None:
    made = await parts.keys.create_master_key(cli_context("req_1"), "operations", "90d")
    assert made.key.startswith("mk_live_0000000000000000000000")
    principal = await parts.keys.authenticate(parsed(made.key))
    assert (principal.kind, principal.actor_type) == (CredentialKind.MASTER_KEY, ActorType.MASTER_KEY)
    assert (principal.tenant_id, principal.expires_at) == (CONTROL_TENANT_ID, START_MS + 90 * DAY_MS)
    await parts.keys.revoke_key(cli_context("req_2"), made.api_key.id, "rotated")
    assert isinstance(await refusal_of(parts.keys.authenticate(parsed(made.key))), InvalidApiKey)
    entries = await parts.entries(CONTROL_TENANT_ID, type="api_key.*")
    assert [(entry.type, entry.actor.type) for entry in entries] == [
        ("api_key.created", "cli"),
        ("api_key.revoked", "cli"),
    ]
    assert await parts.entries(acme) == []


async def test_listing_pages_and_filters(parts: Parts, acme: str) -> None:
    made = [await make(parts, acme, type="publishable" if n % 3 == 0 else "secret", name=f"key {n}") for n in range(7)]
    await parts.keys.revoke_key(key_context(acme, scopes=EVERYTHING), made[2].api_key.id)
    seen: list[str] = []
    cursor = None
    while True:
        page = await parts.keys.list_keys(acme, ListKeysQuery(limit=3, cursor=cursor))
        assert page.pagination.total == 7
        seen += [key.name for key in page.rows]
        cursor = page.pagination.next_cursor
        if cursor is None:
            break
        with pytest.raises(InvalidCursor):
            await parts.keys.list_keys(acme, ListKeysQuery(cursor=cursor, type=TenantKeyType.SECRET))
    assert seen == [f"key {n}" for n in reversed(range(7))]
    page = await parts.keys.list_keys(acme, ListKeysQuery(type=TenantKeyType.PUBLISHABLE))
    assert ([key.name for key in page.rows], page.pagination.total) == (["key 6", "key 3", "key 0"], 3)


async def test_authentication_is_two_reads(parts: Parts, acme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = await make(parts, acme)
    reads: list[str] = []
    read: Callable[..., Awaitable[object]] = parts.database.read

    async def counted(tenant_id: str, query: object) -> object:
        reads.append(tenant_id)
        return await read(tenant_id, query)

    monkeypatch.setattr(parts.database, "read", counted)
    await parts.keys.authenticate(parsed(made.key))
    assert reads == [CONTROL_TENANT_ID, acme]
