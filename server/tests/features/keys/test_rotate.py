"""Rotating keys on both stores: the new one, how the old one ends, who may, and what ends with it."""

import asyncio
from typing import Any, Final

import msgspec
import pytest

from hellojohn_server.features.keys.errors import ApiKeyExpired, ApiKeyNotActive, ApiKeyNotFound, InvalidApiKey
from hellojohn_server.features.keys.schemas import ListKeysQuery, MadeKey, RotateKeyBody
from hellojohn_server.features.sessions.schemas import Session
from hellojohn_server.features.tenants.schemas import CreateTenantBody
from hellojohn_server.kit.addresses import Network, parse_network
from hellojohn_server.kit.error_codes import FieldCode
from hellojohn_server.kit.errors import IdempotencyKeyReused, InsufficientScope, Invalid
from hellojohn_server.kit.idempotency import Idempotency
from hellojohn_server.kit.ids import CONTROL_TENANT_ID, IdPrefix
from hellojohn_server.kit.principal import Context, cli_context
from hellojohn_server.storage.database import Exempt, Transaction
from tests.conftest import START_MS, ManualClock, OpenDatabase
from tests.features.keys.parts import DAY_MS, EVERYTHING, UNKNOWN_KEY, make, parsed, refusal_of
from tests.features.tenants.parts import Parts, key_context, master_context, retry_key

HOUR_MS: Final = 3_600_000


def admin(tenant_id: str, idempotency: Idempotency | None = None) -> Context:
    return key_context(tenant_id, scopes=EVERYTHING, idempotency=idempotency)


def tied(context: Context, *networks: str) -> Context:
    """Return the context of a caller that is tied to these networks."""
    parsed_networks: list[Network] = [network for network in map(parse_network, networks) if network is not None]
    principal = msgspec.structs.replace(context.principal, allowed_networks=tuple(parsed_networks))
    return msgspec.structs.replace(context, principal=principal)


async def rotate(parts: Parts, context: Context, key_id: str, **fields: Any) -> MadeKey:
    return await parts.keys.rotate_key(context, key_id, msgspec.convert(fields, RotateKeyBody))


async def works(parts: Parts, key: str) -> bool:
    try:
        await parts.keys.authenticate(parsed(key))
    except (InvalidApiKey, ApiKeyExpired):
        return False
    return True


async def impersonate(parts: Parts, tenant_id: str, key_id: str | None, lasts_ms: int = DAY_MS) -> str:
    """Put a session in the store that a key made in a user's place; None: one of the user's own."""
    session = Session(
        id=parts.ids.new(IdPrefix.SESSION),
        user_id="usr_1",
        created_at=START_MS,
        expires_at=START_MS + lasts_ms,
        access_expires_at=START_MS + lasts_ms,
        impersonator_id=key_id,
        impersonator_type=None if key_id is None else "api_key",
    )

    async def command(tx: Transaction) -> None:
        await parts.sessions.begin_session(tx, session, None)

    await parts.database.write(tenant_id, command, type(None), exempt=Exempt.HOUSEKEEPING)
    return session.id


async def test_the_new_key_is_as_the_old_one(parts: Parts, acme: str, clock: ManualClock) -> None:
    old = await make(parts, acme, scopes=["users:read", "audit:*"], allowed_ips=["203.0.113.0/24"], expires_in="90d")
    clock.advance(60)
    new = await rotate(parts, admin(acme), old.api_key.id)
    assert new.key.startswith("sk_live_")
    assert new.key != old.key
    assert new.api_key == msgspec.structs.replace(
        old.api_key,
        id=new.api_key.id,
        hint=f"sk_live_…{new.key[-4:]}",
        created_at=START_MS + 60_000,
        created_by="key_01HZZZZZZZZZZZZZZZZZZZZZZZ",
    )
    assert await parts.keys.require_key(acme, new.api_key.id) == new.api_key
    principal = await parts.keys.authenticate(parsed(new.key))
    assert (principal.id, principal.scopes) == (new.api_key.id, frozenset({"users:read", "audit:*"}))
    assert [str(network) for network in principal.allowed_networks] == ["203.0.113.0/24"]


async def test_the_old_key_works_on_for_the_overlap(parts: Parts, acme: str, clock: ManualClock) -> None:
    old = await make(parts, acme)
    new = await rotate(parts, admin(acme), old.api_key.id, overlap="1h")
    shown = await parts.keys.require_key(acme, old.api_key.id)
    assert (shown.expires_at, shown.revoked_at, shown.replaced_by) == (START_MS + HOUR_MS, None, new.api_key.id)
    assert new.api_key.expires_at is None
    clock.advance(3599)
    assert (await works(parts, old.key), await works(parts, new.key)) == (True, True)
    clock.advance(1)
    assert isinstance(await refusal_of(parts.keys.authenticate(parsed(old.key))), ApiKeyExpired)
    assert await works(parts, new.key)


async def test_without_an_overlap_the_old_key_is_refused_at_once(parts: Parts, acme: str) -> None:
    old = await make(parts, acme, expires_in="1d")
    new = await rotate(parts, admin(acme), old.api_key.id, overlap=None)
    assert isinstance(await refusal_of(parts.keys.authenticate(parsed(old.key))), InvalidApiKey)
    assert await works(parts, new.key)
    shown = await parts.keys.require_key(acme, old.api_key.id)
    assert (shown.revoked_at, shown.revoked_reason, shown.expires_at) == (START_MS, "rotated", START_MS + DAY_MS)
    assert (shown.replaced_by, new.api_key.expires_at) == (new.api_key.id, START_MS + DAY_MS)


@pytest.mark.parametrize(
    ("own_end", "overlap", "ends_at"),
    [
        (None, {}, START_MS + DAY_MS),
        (None, {"overlap": "30d"}, START_MS + 30 * DAY_MS),
        ("2h", {"overlap": "1h"}, START_MS + HOUR_MS),
        ("2h", {"overlap": "2h"}, START_MS + 2 * HOUR_MS),
        ("2h", {}, START_MS + 2 * HOUR_MS),
    ],
)
async def test_the_old_key_never_lasts_longer_than_before(
    parts: Parts, acme: str, own_end: str | None, overlap: dict[str, Any], ends_at: int
) -> None:
    old = await make(parts, acme, expires_in=own_end)
    new = await rotate(parts, admin(acme), old.api_key.id, **overlap)
    assert (await parts.keys.require_key(acme, old.api_key.id)).expires_at == ends_at
    assert new.api_key.expires_at == old.api_key.expires_at


@pytest.mark.parametrize(
    ("key_lasts", "caller_lasts_ms", "ends_at"),
    [
        (None, HOUR_MS, START_MS + HOUR_MS),
        ("2h", HOUR_MS, START_MS + HOUR_MS),
        ("1h", 2 * HOUR_MS, START_MS + HOUR_MS),
        ("1h", None, START_MS + HOUR_MS),
        (None, None, None),
    ],
)
async def test_the_new_key_ends_with_the_old_one_or_with_the_caller(
    parts: Parts, acme: str, key_lasts: str | None, caller_lasts_ms: int | None, ends_at: int | None
) -> None:
    old = await make(parts, acme, expires_in=key_lasts)
    caller_ends = None if caller_lasts_ms is None else START_MS + caller_lasts_ms
    context = key_context(acme, scopes=EVERYTHING, expires_at=caller_ends)
    assert (await rotate(parts, context, old.api_key.id)).api_key.expires_at == ends_at


@pytest.mark.parametrize(
    ("fields", "reason", "changes"),
    [
        (
            {"reason": "every quarter"},
            "every quarter",
            {"expires_at": ("2026-12-20T14:13:20.000Z", "2026-09-22T14:13:20.000Z")},
        ),
        ({"overlap": None, "reason": "leaked"}, "leaked", {"revoked_at": (None, "2026-09-21T14:13:20.000Z")}),
        ({"overlap": None}, None, {"revoked_at": (None, "2026-09-21T14:13:20.000Z")}),
    ],
)
async def test_both_keys_are_in_the_log(
    parts: Parts, acme: str, fields: dict[str, Any], reason: str | None, changes: dict[str, Any]
) -> None:
    old = await make(parts, acme, scopes=["users:read"], expires_in="90d")
    new = await rotate(parts, admin(acme), old.api_key.id, **fields)
    rotated, created = (await parts.entries(acme))[1:]
    assert (rotated.type, rotated.reason, rotated.changes) == ("api_key.rotated", reason, changes)
    assert rotated.metadata == {"replaced_by": new.api_key.id}
    assert rotated.resource is not None
    assert (rotated.resource.id, rotated.resource.type) == (old.api_key.id, "api_key")
    assert (created.type, created.reason, created.metadata) == ("api_key.created", None, {})
    assert created.resource is not None
    assert created.resource.id == new.api_key.id
    assert created.changes == {
        "name": (None, "backend"),
        "type": (None, "secret"),
        "scopes": (None, ["users:read"]),
        "expires_at": (None, "2026-12-20T14:13:20.000Z"),
    }
    shown = await parts.keys.require_key(acme, old.api_key.id)
    assert shown.revoked_reason == (None if "expires_at" in changes else reason or "rotated")


async def test_an_end_that_stays_is_no_change(parts: Parts, acme: str) -> None:
    old = await make(parts, acme, expires_in="1h")
    await rotate(parts, admin(acme), old.api_key.id)
    [rotated] = await parts.entries(acme, type="api_key.rotated")
    assert rotated.changes == {}


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("overlap", ["31d", "5w", "0s", "soon", "2592001s"])
async def test_an_overlap_is_bounded(parts: Parts, acme: str, overlap: str) -> None:
    old = await make(parts, acme)
    body = RotateKeyBody(overlap=overlap)
    refused = await refusal_of(parts.keys.rotate_key(admin(acme), old.api_key.id, body))
    assert isinstance(refused, Invalid)
    assert [detail.field for detail in refused.details] == ["overlap"]
    assert await works(parts, old.key)


async def test_only_a_key_that_works_and_was_not_rotated_is_rotated(
    parts: Parts, acme: str, clock: ManualClock
) -> None:
    revoked, expired, rotated = [await make(parts, acme, expires_in="30d") for _ in range(3)]
    await parts.keys.revoke_key(admin(acme), revoked.api_key.id)
    await rotate(parts, admin(acme), rotated.api_key.id, overlap="30d")
    assert isinstance(await refusal_of(rotate(parts, admin(acme), rotated.api_key.id)), ApiKeyNotActive)
    clock.advance(30 * 86_400)
    count = len(await parts.entries(acme))
    for key in (revoked, expired, rotated):
        assert isinstance(await refusal_of(rotate(parts, admin(acme), key.api_key.id)), ApiKeyNotActive)
    assert len(await parts.entries(acme)) == count
    assert (await parts.keys.list_keys(acme, ListKeysQuery())).pagination.total == 4


async def test_a_rotated_key_can_be_revoked_and_its_successor_lives(parts: Parts, acme: str) -> None:
    old = await make(parts, acme)
    new = await rotate(parts, admin(acme), old.api_key.id)
    await parts.keys.revoke_key(admin(acme), old.api_key.id, "done")
    assert (await works(parts, old.key), await works(parts, new.key)) == (False, True)
    newest = await rotate(parts, admin(acme), new.api_key.id, overlap=None)
    assert (await works(parts, new.key), await works(parts, newest.key)) == (False, True)


@pytest.mark.parametrize("overlap", ["24h", None])
async def test_of_16_rotations_at_once_one_makes_a_key(
    parts: Parts, acme: str, open_database: OpenDatabase, overlap: str | None
) -> None:
    old = await make(parts, acme)
    beside = Parts(await open_database(), parts.ids, ManualClock())
    outcomes = await asyncio.gather(
        *(rotate(each, admin(acme), old.api_key.id, overlap=overlap) for each in [parts, beside] * 8),
        return_exceptions=True,
    )
    await beside.database.close()
    made = [outcome for outcome in outcomes if isinstance(outcome, MadeKey)]
    assert len(made) == 1
    assert sum(isinstance(outcome, ApiKeyNotActive) for outcome in outcomes) == 15
    assert await works(parts, made[0].key)
    assert (await parts.keys.list_keys(acme, ListKeysQuery())).pagination.total == 2
    assert (await parts.keys.require_key(acme, old.api_key.id)).replaced_by == made[0].api_key.id
    assert [entry.type for entry in await parts.entries(acme)] == [
        "api_key.created",
        "api_key.rotated",
        "api_key.created",
    ]


async def test_rotating_and_revoking_at_once_leave_no_key_that_nobody_knows(parts: Parts, acme: str) -> None:
    old = await make(parts, acme)
    outcomes = await asyncio.gather(
        *(
            act
            for _ in range(8)
            for act in (
                rotate(parts, admin(acme), old.api_key.id),
                parts.keys.revoke_key(admin(acme), old.api_key.id),
            )
        ),
        return_exceptions=True,
    )
    made = [outcome for outcome in outcomes if isinstance(outcome, MadeKey)]
    assert not await works(parts, old.key)
    assert len(made) <= 1
    assert (await parts.keys.list_keys(acme, ListKeysQuery())).pagination.total == 1 + len(made)
    assert len(await parts.entries(acme, type="api_key.revoked")) == 1


async def test_retries_at_once_are_answered_with_the_same_key(parts: Parts, acme: str, clock: ManualClock) -> None:
    old = await make(parts, acme)

    async def retry(request: bytes = b"{}", **fields: Any) -> MadeKey:
        return await rotate(parts, admin(acme, retry_key(request)), old.api_key.id, **fields)

    made = await asyncio.gather(*(retry() for _ in range(16)))
    clock.advance(7200)
    made.append(await retry())
    assert len({answer.key for answer in made}) == 1
    assert len(await parts.entries(acme, type="api_key.rotated")) == 1
    assert isinstance(await refusal_of(retry(b'{"overlap":"1h"}', overlap="1h")), IdempotencyKeyReused)


@pytest.mark.parametrize(
    ("held", "scopes", "missing"),
    [
        (("keys:write", "users:read"), ["users:read"], []),
        (("keys:write", "users:*"), ["users:read"], []),
        (("keys:write",), ["users:read", "audit:*"], ["audit:*", "users:read"]),
        (("*",), ["*"], []),
        (("keys:write",), ["*"], ["*"]),
        (("*",), ["users:read", "admins:manage"], ["admins:manage"]),
        (("*", "admins:manage"), ["users:read", "admins:manage"], []),
    ],
)
async def test_a_key_is_rotated_by_one_that_holds_its_scopes(
    parts: Parts, acme: str, held: tuple[str, ...], scopes: list[str], missing: list[str]
) -> None:
    old = await make(parts, acme, scopes=scopes)
    rotating = rotate(parts, key_context(acme, scopes=held), old.api_key.id)
    if not missing:
        assert (await rotating).api_key.scopes == old.api_key.scopes
        return
    refused = await refusal_of(rotating)
    assert isinstance(refused, InsufficientScope)
    assert list(refused.missing) == missing
    assert await works(parts, old.key)
    assert len(await parts.entries(acme)) == 1


async def test_scopes_are_judged_before_a_replay(parts: Parts, acme: str) -> None:
    old = await make(parts, acme, scopes=["admins:manage"])
    await rotate(parts, admin(acme, retry_key()), old.api_key.id)
    lesser = key_context(acme, scopes=("*",), idempotency=retry_key())
    assert isinstance(await refusal_of(rotate(parts, lesser, old.api_key.id)), InsufficientScope)


@pytest.mark.parametrize(
    ("key_ips", "caller_ips", "allowed"),
    [
        (None, [], True),
        (["203.0.113.7"], [], True),
        (["203.0.113.7"], ["203.0.113.0/24"], True),
        (["203.0.113.0/24"], ["203.0.113.0/24", "2001:db8::/32"], True),
        (None, ["203.0.113.0/24"], False),
        (["203.0.113.0/24"], ["203.0.113.7"], False),
        (["203.0.113.7", "198.51.100.7"], ["203.0.113.0/24"], False),
        (["2001:db8::/32"], ["0.0.0.0/0"], False),
    ],
)
async def test_a_key_is_rotated_by_one_that_is_allowed_its_addresses(
    parts: Parts, acme: str, key_ips: list[str] | None, caller_ips: list[str], *, allowed: bool
) -> None:
    old = await make(parts, acme, allowed_ips=key_ips)
    rotating = rotate(parts, tied(admin(acme), *caller_ips), old.api_key.id)
    if allowed:
        assert (await rotating).api_key.allowed_ips == old.api_key.allowed_ips
        return
    refused = await refusal_of(rotating)
    assert isinstance(refused, Invalid)
    assert [(detail.field, detail.code) for detail in refused.details] == [("key_id", FieldCode.OUT_OF_RANGE)]
    assert await works(parts, old.key)


async def test_a_publishable_key_is_rotated_from_anywhere(parts: Parts, acme: str) -> None:
    old = await make(parts, acme, type="publishable")
    context = tied(key_context(acme, scopes=("keys:write",)), "203.0.113.7")
    new = await rotate(parts, context, old.api_key.id)
    assert new.key.startswith("pk_live_")
    assert (new.api_key.scopes, new.api_key.allowed_ips) == ((), ())
    assert (await works(parts, old.key), await works(parts, new.key)) == (True, True)


async def test_the_key_of_a_test_tenant_stays_one(parts: Parts, sandbox: str) -> None:
    old = await make(parts, sandbox)
    new = await rotate(parts, admin(sandbox), old.api_key.id)
    assert new.key.startswith("sk_test_")
    assert await works(parts, new.key)


async def test_another_tenants_key_is_not_found(parts: Parts, acme: str) -> None:
    old = await make(parts, acme)
    other = (await parts.tenants.create_tenant(master_context(), CreateTenantBody(name="Other"))).id
    for key_id in (old.api_key.id, UNKNOWN_KEY, "key_1", "current"):
        assert isinstance(await refusal_of(rotate(parts, admin(other), key_id)), ApiKeyNotFound)
    assert (await parts.keys.require_key(acme, old.api_key.id)).replaced_by is None
    assert await parts.entries(other) == []


async def test_a_master_key_is_rotated_on_the_host(parts: Parts, acme: str, clock: ManualClock) -> None:
    old = await parts.keys.create_master_key(cli_context("req_1"), "operations")
    new = await rotate(parts, cli_context("req_2"), old.api_key.id, overlap="1h")
    assert new.key.startswith("mk_live_0000000000000000000000")
    assert (await works(parts, old.key), await works(parts, new.key)) == (True, True)
    clock.advance(3600)
    assert not await works(parts, old.key)
    newest = await rotate(parts, cli_context("req_3"), new.api_key.id, overlap=None)
    assert (await works(parts, new.key), await works(parts, newest.key)) == (False, True)
    entries = await parts.entries(CONTROL_TENANT_ID, type="api_key.*")
    assert [entry.type for entry in entries] == [
        "api_key.created",
        "api_key.rotated",
        "api_key.created",
        "api_key.rotated",
        "api_key.created",
    ]
    assert await parts.entries(acme) == []


async def test_a_revoked_keys_impersonations_end_with_it(parts: Parts, acme: str, clock: ManualClock) -> None:
    old, other = await make(parts, acme), await make(parts, acme)
    theirs = [await impersonate(parts, acme, old.api_key.id) for _ in range(2)]
    kept = [await impersonate(parts, acme, key_id) for key_id in (other.api_key.id, None)]
    clock.advance(60)
    await parts.keys.revoke_key(admin(acme), old.api_key.id, "leaked")
    for session_id in theirs:
        session = await parts.sessions.require_session(acme, session_id)
        assert (session.revoked_at, session.revoked_reason) == (START_MS + 60_000, "api_key_revoked")
        assert session.revoked_by == "key_01HZZZZZZZZZZZZZZZZZZZZZZZ"
    for session_id in kept:
        assert (await parts.sessions.require_session(acme, session_id)).revoked_at is None
    await parts.keys.revoke_key(admin(acme), old.api_key.id)
    [entry] = await parts.entries(acme, type="api_key.revoked")
    assert entry.metadata == {"sessions_revoked": 2}


async def test_without_an_overlap_its_impersonations_end_with_it(parts: Parts, acme: str) -> None:
    old = await make(parts, acme)
    session_id = await impersonate(parts, acme, old.api_key.id)
    new = await rotate(parts, admin(acme), old.api_key.id, overlap=None)
    assert (await parts.sessions.require_session(acme, session_id)).revoked_reason == "api_key_revoked"
    [entry] = await parts.entries(acme, type="api_key.rotated")
    assert entry.metadata == {"replaced_by": new.api_key.id, "sessions_revoked": 1}


async def test_with_an_overlap_its_impersonations_end_when_it_does(parts: Parts, acme: str) -> None:
    old, other = await make(parts, acme), await make(parts, acme)
    long = await impersonate(parts, acme, old.api_key.id, DAY_MS)
    short = await impersonate(parts, acme, old.api_key.id, HOUR_MS // 2)
    others = await impersonate(parts, acme, other.api_key.id, DAY_MS)
    await rotate(parts, admin(acme), old.api_key.id, overlap="1h")
    ends = [(await parts.sessions.require_session(acme, each)).expires_at for each in (long, short, others)]
    assert ends == [START_MS + HOUR_MS, START_MS + HOUR_MS // 2, START_MS + DAY_MS]
    [entry] = await parts.entries(acme, type="api_key.rotated")
    assert "sessions_revoked" not in entry.metadata


def test_the_default_overlap_is_a_day() -> None:
    assert msgspec.json.decode(b"{}", type=RotateKeyBody).overlap == "24h"
    assert msgspec.json.decode(b'{"overlap":null}', type=RotateKeyBody).overlap is None
