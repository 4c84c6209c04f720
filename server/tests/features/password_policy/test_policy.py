"""Which passwords a tenant takes, at every door through which one is chosen, on both stores."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import httpx
import pytest

from tests.features.auth.parts import PASSWORD, Front, make_front
from tests.features.password_reset.parts import newest_token
from tests.support import RunningApp

CONFIG: Final = "/v1/admin/config"
ALICE: Final = "alice.liddell@example.com"
Door = Callable[[Front, str], Awaitable[httpx.Response]]


@pytest.fixture
async def front(app: RunningApp) -> Front:
    made = await make_front(app)
    await made.sign_up(ALICE, username="alice_in_wonder", name="Alice Pleasance Liddell")
    return made


async def signs_up(front: Front, password: str) -> httpx.Response:
    body = {"email": f"new.{ALICE}", "password": password, "username": "alice_twice", "name": "Alice Pleasance Liddell"}
    return await front.post("sign-up", body)


async def changes(front: Front, password: str) -> httpx.Response:
    alice = await front.sign_in(ALICE)
    return await front.post("password/change", {"current_password": PASSWORD, "new_password": password}, alice.access)


async def resets(front: Front, password: str) -> httpx.Response:
    assert (await front.post("password/forgot", {"email": ALICE})).is_success
    return await front.post("password/reset", {"token": await newest_token(front, ALICE), "password": password})


async def admin_creates(front: Front, password: str) -> httpx.Response:
    return await front.admin("POST", "/v1/users", {"email": f"new.{ALICE}", "password": password})


async def admin_sets(front: Front, password: str) -> httpx.Response:
    user_id = (await front.sign_in(ALICE)).user_id
    return await front.admin("PUT", f"/v1/users/{user_id}/password", {"password": password})


DOORS: Final[list[Door]] = [signs_up, changes, resets, admin_creates, admin_sets]
every_door = pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)


def faults(answer: httpx.Response) -> list[tuple[str, str]]:
    assert answer.status_code == 422, answer.text
    assert answer.json()["error"]["code"] == "validation_failed"
    return [(one["field"], one["code"]) for one in answer.json()["error"]["details"]]


async def put(front: Front, **settings: Any) -> None:
    answer = await front.admin("PATCH", CONFIG, {"password": settings})
    assert answer.status_code == 200, answer.text


@every_door
async def test_what_is_tried_first_is_not_taken(front: Front, door: Door) -> None:
    field = "new_password" if door is changes else "password"
    for common in ("12345678", "baseball1", "PassWord1", "\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44\uff11"):
        answer = await door(front, common)
        assert faults(answer) == [(field, "too_common")], common
        assert common not in answer.text
    assert (await door(front, "baseball1 and gloves")).is_success


@every_door
async def test_whose_it_is_says_nothing_of_the_password(front: Front, door: Door) -> None:
    field = "new_password" if door is changes else "password"
    address = f"new.{ALICE}" if door in {signs_up, admin_creates} else ALICE
    for word in (address, address.upper(), address.partition("@")[0]):
        assert faults(await door(front, word)) == [(field, "too_common")], word
    assert (await door(front, f"{address}!")).is_success


@pytest.mark.parametrize(("door", "username"), [(signs_up, "alice_twice"), (resets, "alice_in_wonder")])
async def test_neither_do_their_names(front: Front, door: Door, username: str) -> None:
    for word in (username, "alice pleasance liddell"):
        assert faults(await door(front, word)) == [("password", "too_common")], word


async def test_nor_that_of_the_tenant(app: RunningApp) -> None:
    tenant_id = await app.make_tenant("Wonderland Ltd")
    key = await app.make_key(tenant_id)
    body = {"email": ALICE, "password": "wonderland ltd"}
    assert faults(await app.call(key, "POST", "/v1/users", body)) == [("password", "too_common")]
    other = await app.make_key(await app.make_tenant("Elsewhere"))
    assert (await app.call(other, "POST", "/v1/users", body)).status_code == 201


@every_door
async def test_common_ones_are_taken_where_the_tenant_says_so(front: Front, door: Door) -> None:
    await put(front, refuse_common=False)
    assert (await door(front, "password1")).is_success


@every_door
async def test_the_length_is_the_tenants(front: Front, door: Door) -> None:
    field = "new_password" if door is changes else "password"
    assert faults(await door(front, "7 chars")) == [(field, "too_short")]
    await put(front, min_length=15, max_length=64)
    assert faults(await door(front, "fourteen chars")) == [(field, "too_short")]
    assert faults(await door(front, "ä" * 65)) == [(field, "too_long")]
    assert (await door(front, "fifteen chars! ")).is_success


async def test_the_longest_is_taken(front: Front) -> None:
    await put(front, min_length=64, max_length=64)
    assert (await signs_up(front, "ä" * 64)).status_code == 201


async def test_what_is_refused_uses_no_link_up(front: Front) -> None:
    await front.post("password/forgot", {"email": ALICE})
    token = await newest_token(front, ALICE)
    assert faults(await front.post("password/reset", {"token": token, "password": "12345678"}))
    assert (await front.post("password/reset", {"token": token, "password": "a better choice"})).status_code == 204


async def test_what_was_chosen_before_stays_good(front: Front) -> None:
    await put(front, min_length=64)
    assert await front.try_sign_in(ALICE) == (200, "")


async def test_a_hash_of_another_system_cannot_be_judged(front: Front) -> None:
    stored = "$2b$04$5Gc2vVd7XqCU3iBtdlKUEu2QCSQNvSBXyhtWVFMYjcbGFvUF6uzIK"
    body = {"email": "bob@example.com", "password_hash": stored}
    await put(front, min_length=64)
    assert (await front.admin("POST", "/v1/users", body)).status_code == 201


@pytest.mark.parametrize(
    ("section", "details"),
    [
        ({"min_length": 7}, [("password.min_length", "out_of_range")]),
        ({"min_length": 65}, [("password.min_length", "out_of_range")]),
        ({"max_length": 63}, [("password.max_length", "out_of_range")]),
        ({"max_length": 1025}, [("password.max_length", "out_of_range")]),
        ({"refuse_common": 1}, [("password.refuse_common", "wrong_type")]),
        ({"digits": True}, [("password.digits", "unknown")]),
    ],
)
async def test_what_is_out_of_bounds(front: Front, section: dict[str, Any], details: list[tuple[str, str]]) -> None:
    assert faults(await front.admin("PATCH", CONFIG, {"password": section})) == details


async def test_config_write_is_enough(app: RunningApp) -> None:
    key = await app.make_key(await app.make_tenant(), "config:write")
    assert (await app.call(key, "PATCH", CONFIG, {"password": {"min_length": 12}})).status_code == 200
