"""Whatever stops access is in the feed: a verifier that only follows it refuses what our own endpoints refuse."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import pytest

from tests.conftest import ManualClock
from tests.features.auth.parts import PASSWORD, Front, SignedIn
from tests.features.revocations.parts import Follower, parts_of
from tests.features.user_sessions.parts import a_session, put

OTHER_PASSWORD: Final = "another horse entirely"
Act = Callable[[Front, SignedIn], Awaitable[None]]


def call(method: str, path: str, body: Any = None) -> Act:
    """Return the act that a request with the secret key does; {user}, {session} and {tenant} stand for ids."""

    async def act(front: Front, alice: SignedIn) -> None:
        named = path.format(user=alice.user_id, session=alice.session_id, tenant=front.tenant_id)
        given = None if body is None else {k: [alice.user_id] if k == "user_ids" else v for k, v in body.items()}
        answer = await front.admin(method, named, given)
        assert answer.is_success, answer.text

    return act


async def sign_out(front: Front, alice: SignedIn) -> None:
    assert await front.sign_out(alice.access) == (204, "")


async def end_from_another_session(front: Front, alice: SignedIn) -> None:
    other = await front.sign_in()
    answer = await front.app.call(other.access, "DELETE", f"/v1/auth/sessions/{alice.session_id}")
    assert answer.is_success, answer.text


async def change_password_elsewhere(front: Front, alice: SignedIn) -> None:
    other = await front.sign_in()
    body = {"current_password": PASSWORD, "new_password": OTHER_PASSWORD}
    answer = await front.post("password/change", body, other.access)
    assert answer.is_success, answer.text


async def use_a_refresh_token_twice(front: Front, alice: SignedIn) -> None:
    await front.refresh(alice.refresh)
    assert (await front.try_refresh(alice.refresh))[1] == "refresh_token_reused"


async def begin_one_session_too_many(front: Front, alice: SignedIn) -> None:
    answer = await front.admin("PATCH", "/v1/admin/config", {"sessions": {"max_per_user": 1}})
    assert answer.is_success, answer.text
    await front.sign_in()


async def suspend_the_tenant(front: Front, alice: SignedIn) -> None:
    services = front.app.services
    await services.tenants.suspend_tenant(front.app.context(), front.tenant_id, "unpaid")


async def withdraw_the_signing_keys(front: Front, alice: SignedIn) -> None:
    await front.app.services.signing_keys.rotate(front.app.context(), compromised=True)


BULK: Final = {"user_ids": []}
ACTS: Final[dict[str, Act]] = {
    "ban": call("POST", "/v1/users/{user}/ban", {"reason": "spam"}),
    "begin_one_session_too_many": begin_one_session_too_many,
    "bulk_ban": call("POST", "/v1/admin/users/bulk-ban", {**BULK, "reason": "spam"}),
    "bulk_delete": call("POST", "/v1/admin/users/bulk-delete", BULK),
    "bulk_disable": call("POST", "/v1/admin/users/bulk-disable", BULK),
    "bulk_disable_and_keep": call("POST", "/v1/admin/users/bulk-disable", {**BULK, "revoke_sessions": False}),
    "bulk_revoke": call("POST", "/v1/admin/users/bulk-revoke-sessions", BULK),
    "change_email": call("PATCH", "/v1/users/{user}", {"email": "alice@elsewhere.example"}),
    "change_password_elsewhere": change_password_elsewhere,
    "change_role": call("PATCH", "/v1/users/{user}", {"role": "admin"}),
    "delete": call("DELETE", "/v1/users/{user}"),
    "disable": call("POST", "/v1/users/{user}/disable"),
    "disable_and_keep": call("PATCH", "/v1/users/{user}", {"disabled": True, "revoke_sessions": False}),
    "disable_by_patch": call("PATCH", "/v1/users/{user}", {"disabled": True}),
    "disable_with_another_role": call("PATCH", "/v1/users/{user}", {"disabled": True, "role": "admin"}),
    "end_from_another_session": end_from_another_session,
    "erase": call("DELETE", "/v1/users/{user}?permanent=true"),
    "revoke_every_session": call("DELETE", "/v1/sessions?confirm={tenant}"),
    "revoke_session": call("DELETE", "/v1/sessions/{session}"),
    "revoke_sessions": call("DELETE", "/v1/users/{user}/sessions"),
    "set_password": call("PUT", "/v1/users/{user}/password", {"password": OTHER_PASSWORD, "revoke_sessions": True}),
    "sign_out": sign_out,
    "suspend_the_tenant": suspend_the_tenant,
    "use_a_refresh_token_twice": use_a_refresh_token_twice,
    "withdraw_the_signing_keys": withdraw_the_signing_keys,
}


async def is_good(front: Front, token: str) -> bool:
    """Say what our own endpoints make of a token."""
    return (await front.me(token))[0] == 200


@pytest.mark.parametrize("name", sorted(ACTS))
async def test_what_stops_access_is_in_the_feed(front: Front, clock: ManualClock, name: str) -> None:
    alice, bob = await front.sign_up(), await front.sign_up("bob@example.com")
    follower = Follower(front)
    assert await follower.follow() == []
    clock.advance(2)  # whoever stops access does so later than in the second of the sign-in

    await ACTS[name](front, alice)

    if name == "suspend_the_tenant":
        # the tenant's own key opens nothing any more: who follows was told before the stream ended
        await front.app.services.tenants.resume_tenant(front.app.context(), front.tenant_id)
    else:
        assert not await is_good(front, alice.access)
    came = await follower.follow()
    assert follower.refuses(alice.access)
    of_all = name in {"revoke_every_session", "suspend_the_tenant", "withdraw_the_signing_keys"}
    assert follower.refuses(bob.access) == of_all
    assert all(entry.revoked_at < entry.forget_at for entry in came)
    assert await follower.follow() == []


async def test_what_leaves_access_alone_is_not_in_it(front: Front) -> None:
    alice = await front.sign_up()
    follower = Follower(front)
    await call("PATCH", "/v1/users/{user}", {"name": "Alice", "disabled": False})(front, alice)
    await call("POST", "/v1/users/{user}/enable")(front, alice)
    await call("POST", "/v1/users/{user}/unlock")(front, alice)
    await front.refresh(alice.refresh)
    assert await follower.follow() == []
    assert await is_good(front, alice.access)


async def test_of_whom_no_token_is_out_nothing_is_told(front: Front, clock: ManualClock) -> None:
    alice = await front.sign_up()
    clock.advance(3_600)
    await call("PATCH", "/v1/users/{user}", {"role": "admin"})(front, alice)
    await call("POST", "/v1/users/{user}/disable")(front, alice)
    assert await Follower(front).follow() == []


async def test_a_token_from_after_is_not_refused(front: Front, clock: ManualClock) -> None:
    alice = await front.sign_up()
    follower = Follower(front)
    await call("PATCH", "/v1/users/{user}", {"role": "admin"})(front, alice)
    fresh = await front.refresh(alice.refresh)
    (entry,) = await follower.follow()
    assert (entry.type, entry.user_id, entry.gen_below) == ("user", alice.user_id, parts_of(fresh.access)[1].gen)
    assert (follower.refuses(alice.access), follower.refuses(fresh.access)) == (True, False)
    clock.advance(900)
    assert not follower.refuses(alice.access), "it has expired by then, and is forgotten"


async def test_a_disable_that_lets_sessions_rest_is_over_with_it(front: Front) -> None:
    alice = await front.sign_up()
    follower = Follower(front)
    await call("POST", "/v1/users/{user}/disable", {"revoke_sessions": False})(front, alice)
    await call("POST", "/v1/users/{user}/enable")(front, alice)
    fresh = await front.refresh(alice.refresh)
    await follower.follow()
    assert (follower.refuses(alice.access), follower.refuses(fresh.access)) == (True, False)


async def impersonated(front: Front, key: str, user_id: str) -> str:
    """Return the token of an impersonation that a key makes."""
    body = {"user_id": user_id, "reason": "ticket 7", "expires_in": "1h"}
    answer = await front.app.call(key, "POST", "/v1/admin/users/impersonate", body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


@pytest.mark.parametrize("overlap", [None, "30m"])
async def test_impersonations_end_with_their_key(front: Front, clock: ManualClock, overlap: str | None) -> None:
    alice = await front.sign_up()
    answer = await front.admin("POST", "/v1/api-keys", {"name": "desk", "type": "secret", "scopes": ["*"]})
    key = answer.json()
    token = await impersonated(front, key["key"], alice.user_id)
    follower = Follower(front)
    if overlap is None:
        assert (await front.admin("DELETE", f"/v1/api-keys/{key['id']}")).is_success
    else:
        assert (await front.admin("POST", f"/v1/api-keys/{key['id']}/rotate", {"overlap": overlap})).is_success
    (entry,) = await follower.follow()
    assert (entry.type, entry.session_id) == ("session", parts_of(token)[1].sid)
    if overlap is not None:
        assert (follower.refuses(token), await is_good(front, token)) == (False, True), "not yet"
        clock.advance(1_800)
    assert (follower.refuses(token), await is_good(front, token)) == (True, False)
    assert not follower.refuses(alice.access)


async def test_many_sessions_of_a_tenant_are_told_in_one(front: Front, clock: ManualClock) -> None:
    alice = await front.sign_up()
    later = clock.now_ms() + 5_000
    many = [a_session(front, alice.user_id, last_refreshed_at=later) for _ in range(1_001)]
    await put(front, many)
    clock.advance(2)
    follower = Follower(front)
    await call("DELETE", "/v1/sessions?confirm={tenant}")(front, alice)
    (entry,) = await follower.follow()
    assert (entry.type, entry.tenant_id) == ("tenant", front.tenant_id)
    assert follower.refuses(alice.access)
    clock.set(later)  # another process that refreshed a session had a clock five seconds ahead
    assert follower.refuses((await front.sign_in()).access)
    clock.advance(1)
    assert not follower.refuses((await front.sign_in()).access)
