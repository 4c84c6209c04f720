"""Every operation of the document with an impersonation's token: the allow-list opens, everything else does not."""

from typing import Final

import httpx
import pytest

from tests.walk.account_acts import EVERY_ACT
from tests.walk.test_access_walk import PUBLIC
from tests.walk.world import World, operations_of, send

OPEN: Final[dict[str, tuple[int, int]]] = {
    "get_me": (200, 200),
    "list_own_organizations": (200, 200),
    "list_own_factors": (200, 200),
    "list_own_sessions": (200, 200),
    "sign_out": (204, 204),
    "update_me": (200, 403),
}
"""The allow-list: what each operation answers to an impersonation that may act, and to one that only looks."""
SHUT: Final = (403, 403)


async def impersonate(world: World, user_id: str, *, read_only: bool) -> str:
    """Return the token of an impersonation."""
    body = {"user_id": user_id, "reason": "ticket 8842", "read_only": read_only}
    answer = await world.send("POST", "/v1/admin/users/impersonate", body)
    assert answer.status_code == httpx.codes.OK, answer.text
    return str(answer.json()["access_token"])


async def test_the_allow_list_is_of_operations_that_exist(world: World) -> None:
    assert OPEN.keys() <= {name for name, _ in await operations_of(world)}


@pytest.mark.parametrize("operation", sorted(EVERY_ACT.keys() - PUBLIC))
async def test_an_impersonation_opens_the_allow_list_only(world: World, operation: str) -> None:
    call = await EVERY_ACT[operation](world)
    somebody = await world.make("/v1/users", {"email": "somebody@example.com", "role": "admin"})
    tokens = [await impersonate(world, somebody["id"], read_only=read_only) for read_only in (False, True)]

    for token, status in zip(tokens, OPEN.get(operation, SHUT), strict=True):
        entries = len(await world.entries(world.tenant_id))
        answer = await send(world, call, key=token)
        gained = (await world.entries(world.tenant_id))[entries:]
        assert answer.status_code == status, answer.text
        assert all(entry.impersonated and entry.actor.id == world.secret_key_id for entry in gained)
        if status == httpx.codes.FORBIDDEN:
            assert answer.json()["error"]["code"] == "impersonation_forbidden"
            assert {entry.type for entry in gained} <= {"operation.denied"}


@pytest.mark.parametrize("operation", sorted(PUBLIC))
async def test_what_is_public_is_public_to_an_impersonation_too(world: World, operation: str) -> None:
    call = await EVERY_ACT[operation](world)
    somebody = await world.make("/v1/users", {"email": "somebody@example.com"})
    token = await impersonate(world, somebody["id"], read_only=True)
    assert (await send(world, call, key=token)).is_success
