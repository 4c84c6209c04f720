"""Bans on both stores: what they end, how they end, and what is told of them."""

import asyncio
from typing import Any

import msgspec
import pytest

from hellojohn_server.features.user_access.schemas import BanUserBody, ReasonBody
from hellojohn_server.features.users.errors import EmailBanned, LastSuperAdmin, UserDeleted, UserNotFound
from hellojohn_server.kit.errors import ApiError, InsufficientScope, Invalid, VersionMismatch
from tests.conftest import START_MS
from tests.features.recorder import recorded
from tests.features.tenants.parts import key_context, retry_key
from tests.features.users.parts import ADMIN, UserParts, live, told, with_retry, with_version

BY = "key_01HZZZZZZZZZZZZZZZZZZZZZZZ"
SINCE = "2026-09-21T14:13:20.000Z"
IN_AN_HOUR = "2026-09-21T15:13:20.000Z"
HOUR_MS = 3_600_000


def ban(**values: Any) -> BanUserBody:
    return msgspec.convert(values, BanUserBody)


@pytest.mark.parametrize(
    ("given", "until"), [({}, None), ({"expires_in": "1h"}, IN_AN_HOUR), ({"expires_at": IN_AN_HOUR}, IN_AN_HOUR)]
)
async def test_a_ban_ends_every_session(
    parts: UserParts, tenant_id: str, monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], until: str | None
) -> None:
    made = await parts.make(tenant_id)
    await parts.add_session(tenant_id, made.id, access_lasts=300)
    await parts.add_session(tenant_id, made.id, access_lasts=840)
    with recorded(parts.database, monkeypatch) as transactions:
        answer = await parts.access.ban_user(key_context(tenant_id), made.id, ban(reason="spam", **given))

    shown = msgspec.to_builtins(answer)
    assert shown.pop("access_stopped") == {"sessions_revoked": 2, "residual_seconds": 840}
    assert shown == {
        **msgspec.to_builtins(made),
        "banned": True,
        "ban": {"reason": "spam", "since": SINCE, "until": until, "by": BY},
        "status": "banned",
        "version": 2,
    }
    assert await live(parts, tenant_id, made.id) == 0
    assert (await parts.stored(tenant_id, made.id)).generation == 2
    first_forgotten = START_MS + 300_000  # what verifiers are told of the sessions
    assert transactions[-1].due == [first_forgotten, *([] if until is None else [START_MS + HOUR_MS])]
    changes = {"banned": (False, True)} | ({} if until is None else {"banned_until": (None, until)})
    assert told(await parts.entries(tenant_id))[1:] == [
        ("user.banned", made.id, "spam", changes, {"sessions_revoked": 2})
    ]
    access = msgspec.to_builtins(await parts.users.get_access(tenant_id, made.id))
    reason = {"code": "banned", "since": SINCE, "until": until, "by": BY, "reason": "spam"}
    assert access == {"can_sign_in": False, "reasons": [reason]}
    assert await parts.counted(tenant_id) == await parts.recounted(tenant_id) == {"total": 1, "role:member": 1}


async def test_the_same_ban_again_changes_nothing(parts: UserParts, tenant_id: str) -> None:
    made = await parts.make(tenant_id)
    context = key_context(tenant_id)
    first = await parts.access.ban_user(context, made.id, ban(reason="spam", expires_at=IN_AN_HOUR))
    parts.clock.advance(60)
    again = await parts.access.ban_user(context, made.id, ban(reason="spam", expires_at=IN_AN_HOUR))
    assert again == msgspec.structs.replace(first, access_stopped=msgspec.UNSET)
    assert len(await parts.entries(tenant_id)) == 2


async def test_another_ban_changes_the_one_that_holds(parts: UserParts, tenant_id: str) -> None:
    made = await parts.make(tenant_id)
    context = key_context(tenant_id)
    await parts.access.ban_user(context, made.id, ban(reason="spam", expires_at=IN_AN_HOUR))
    parts.clock.advance(60)
    other = key_context(tenant_id, key_id="key_01HYYYYYYYYYYYYYYYYYYYYYYY")
    longer = await parts.access.ban_user(other, made.id, ban(reason="worse"))
    shown = msgspec.to_builtins(longer)
    assert shown["ban"] == {"reason": "worse", "since": SINCE, "until": None, "by": other.principal.id}
    assert shown["version"] == 3
    assert "access_stopped" not in shown
    await parts.add_session(tenant_id, made.id)
    shorter = await parts.access.ban_user(context, made.id, ban(reason="worse", expires_at=IN_AN_HOUR))
    assert msgspec.to_builtins(shorter.access_stopped) == {"sessions_revoked": 1, "residual_seconds": 900}
    assert told(await parts.entries(tenant_id))[2:] == [
        (
            *("user.banned", made.id, "worse"),
            {"banned_until": (IN_AN_HOUR, None), "ban_reason": ("spam", "worse")},
            {"sessions_revoked": 0},
        ),
        ("user.banned", made.id, "worse", {"banned_until": (None, IN_AN_HOUR)}, {"sessions_revoked": 1}),
    ]


async def test_a_ban_ends_by_itself_and_may_come_again(parts: UserParts, tenant_id: str) -> None:
    made = await parts.make(tenant_id)
    context = key_context(tenant_id)
    await parts.access.ban_user(context, made.id, ban(reason="spam", expires_in="1h"))
    parts.clock.advance(3600)
    ended = await parts.users.get_user(tenant_id, made.id)
    assert (ended.banned, ended.status) == (False, "active")
    lifted = await parts.access.unban_user(context, made.id, ReasonBody(reason="too late"))
    assert (lifted.version, len(await parts.entries(tenant_id))) == (2, 2)
    again = await parts.access.ban_user(context, made.id, ban(reason="spam"))
    assert again.ban is not None
    assert (again.ban.since, again.version) == (IN_AN_HOUR, 3)
    assert told(await parts.entries(tenant_id))[-1][3] == {"banned": (False, True)}


async def test_lifting_a_ban_revives_no_session(parts: UserParts, tenant_id: str) -> None:
    made = await parts.make(tenant_id)
    context = key_context(tenant_id)
    await parts.add_session(tenant_id, made.id)
    await parts.access.ban_user(context, made.id, ban(reason="spam", expires_at=IN_AN_HOUR))
    lifted = await parts.access.unban_user(context, made.id, ReasonBody(reason="a mistake"))
    assert msgspec.to_builtins(lifted) == {**msgspec.to_builtins(made), "version": 3}
    assert await live(parts, tenant_id, made.id) == 0
    stored = await parts.stored(tenant_id, made.id)
    assert (stored.banned_at, stored.banned_by, stored.ban_reason, stored.generation) == (None, None, None, 2)
    again = await parts.access.unban_user(context, made.id, ReasonBody())
    assert again == lifted
    assert told(await parts.entries(tenant_id))[2:] == [
        ("user.unbanned", made.id, "a mistake", {"banned": (True, False), "banned_until": (IN_AN_HOUR, None)}, {})
    ]


async def test_a_ban_and_a_disable_do_not_lift_each_other(parts: UserParts, tenant_id: str) -> None:
    made = await parts.make(tenant_id, state_disabled=True)
    context = key_context(tenant_id)
    banned = await parts.access.ban_user(context, made.id, ban())
    assert (banned.status, banned.disabled) == ("banned", True)
    enabled = await parts.access.enable_user(context, made.id, ReasonBody())
    assert (enabled.status, enabled.disabled) == ("banned", False)


async def test_nobody_takes_a_banned_address(parts: UserParts, tenant_id: str) -> None:
    made = await parts.make(tenant_id)
    await parts.access.ban_user(key_context(tenant_id), made.id, ban())
    with pytest.raises(EmailBanned):
        await parts.make(tenant_id, "ALICE@example.com")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"expires_at": SINCE}, "expires_at"),
        ({"expires_at": "9999-12-31T23:59:59-12:00"}, "expires_at"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": IN_AN_HOUR, "expires_in": "1h"}, "expires_at"),
    ],
)
async def test_an_end_is_in_the_future_and_given_once(
    parts: UserParts, tenant_id: str, given: dict[str, Any], field: str
) -> None:
    made = await parts.make(tenant_id)
    with pytest.raises(Invalid) as refused:
        await parts.access.ban_user(key_context(tenant_id), made.id, ban(**given))
    assert [fault.field for fault in refused.value.details] == [field]
    assert await parts.users.get_user(tenant_id, made.id) == made


@pytest.mark.parametrize(
    ("facts", "scopes", "error"),
    [
        ({"state_deleted_at": 1}, ADMIN, UserDeleted),
        ({"role": "admin"}, ("*",), InsufficientScope),
        ({"role": "super_admin"}, ADMIN, LastSuperAdmin),
    ],
)
async def test_refusals(
    parts: UserParts, tenant_id: str, facts: dict[str, Any], scopes: tuple[str, ...], error: type[ApiError]
) -> None:
    made = await parts.make(tenant_id, **facts)
    with pytest.raises(error):
        await parts.access.ban_user(key_context(tenant_id, scopes=scopes), made.id, ban())
    assert (await parts.stored(tenant_id, made.id)).banned_at is None
    assert len(await parts.entries(tenant_id)) == 1


async def test_if_match(parts: UserParts, tenant_id: str) -> None:
    made = await parts.make(tenant_id)
    context = key_context(tenant_id)
    with pytest.raises(VersionMismatch):
        await parts.access.ban_user(with_version(context, 2), made.id, ban())
    assert (await parts.access.ban_user(with_version(context, 1), made.id, ban())).version == 2


@pytest.mark.parametrize("user_id", ["usr_" + "0" * 26, "x"])
async def test_there_is_no_such_user(parts: UserParts, tenant_id: str, user_id: str) -> None:
    with pytest.raises(UserNotFound):
        await parts.access.ban_user(key_context(tenant_id), user_id, ban())


async def test_another_tenant_feels_nothing(parts: UserParts, tenant_id: str, other_tenant_id: str) -> None:
    made = await parts.make(tenant_id)
    with pytest.raises(UserNotFound):
        await parts.access.ban_user(key_context(other_tenant_id), made.id, ban())
    assert await parts.users.get_user(tenant_id, made.id) == made


async def test_a_retry_is_answered_as_the_first_time(parts: UserParts, tenant_id: str) -> None:
    made = await parts.make(tenant_id, role="admin")
    context = key_context(tenant_id, scopes=ADMIN)
    first = await parts.access.ban_user(with_retry(context, retry_key()), made.id, ban(expires_in="1h"))
    parts.clock.advance(60)
    again = await parts.access.ban_user(with_retry(context, retry_key()), made.id, ban(expires_in="1h"))
    assert again == first
    with pytest.raises(InsufficientScope):
        await parts.access.ban_user(with_retry(key_context(tenant_id), retry_key()), made.id, ban(expires_in="1h"))
    assert len(await parts.entries(tenant_id)) == 2


async def test_of_16_bans_at_once_one_is_recorded(parts: UserParts, tenant_id: str) -> None:
    made = await parts.make(tenant_id)
    for _ in range(3):
        await parts.add_session(tenant_id, made.id)
    context = key_context(tenant_id)
    answers = await asyncio.gather(*(parts.access.ban_user(context, made.id, ban(reason="x")) for _ in range(16)))
    stopped = [answer.access_stopped for answer in answers if answer.access_stopped is not msgspec.UNSET]
    assert [msgspec.to_builtins(one)["sessions_revoked"] for one in stopped] == [3]
    assert {answer.version for answer in answers} == {2}
    assert len(await parts.entries(tenant_id)) == 2
    answers = await asyncio.gather(*(parts.access.unban_user(context, made.id, ReasonBody()) for _ in range(16)))
    assert {answer.version for answer in answers} == {3}
    assert len(await parts.entries(tenant_id)) == 3
