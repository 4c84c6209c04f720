"""Impersonation, never upward, and every other write on a user: who by whom by call, on both stores."""

from typing import Any, Final

import httpx
import msgspec
import pytest

from hellojohn_server.features.keys.schemas import TenantKeyType
from hellojohn_server.features.users.schemas import User
from hellojohn_server.kit.ids import IdPrefix
from tests.features.impersonation.matrix import CALLS, TABLES, WHO, cells_of
from tests.features.impersonation.parts import STATES, Desk, error_of
from tests.features.users.parts import LIST_SESSIONS

HASH: Final = "$2b$04$abcdefghijklmnopqrstuuk1CqB6BSIpxR3oG6ZVvGkW7kHzPqzfK"
ROLES: Final = {"custom": "editor", "officer": "officer", "admin": "admin", "super": "super_admin"}
ABSENT: Final = {"other", "unknown"}
PLACEHOLDERS: Final = ("user_id", "session_id", "factor_id", "hash")


class Target(msgspec.Struct, frozen=True):
    """Whom a call is about."""

    user_id: str
    session_id: str
    factor_id: str = "fac_01M3250V00000000000000TEST"
    hash: str = HASH


async def make_callers(desk: Desk) -> dict[str, str]:
    """Return the credential of each of WHO. A super admin stays beside, so that none of the targets is the last."""
    await desk.parts.add_role(desk.tenant_id, "editor")
    await desk.parts.add_role(desk.tenant_id, "officer", privileged=True)
    await desk.make_user("keeper", role="super_admin")
    publishable = await desk.app.make_key(desk.tenant_id, key_type=TenantKeyType.PUBLISHABLE)
    body = {"email": "self@example.com", "password": "correct horse battery"}
    signed_up = await desk.call("POST", "/v1/auth/sign-up", body, key=publishable)
    administrator = await desk.make_user("administrator", role="admin")
    return {
        "impersonator": await desk.app.make_key(desk.tenant_id, "users:impersonate"),
        "everything": await desk.app.make_key(desk.tenant_id, "*"),
        "manager": desk.key,
        "publishable": publishable,
        "master": await desk.app.make_master_key(),
        "user": signed_up.json()["session"]["access_token"],
        "acting": (await desk.impersonate(administrator))["access_token"],
        "looking": (await desk.impersonate(administrator, read_only=True))["access_token"],
    }


async def make_target(desk: Desk, who: str, about: str, other_tenant_id: str) -> Target:
    """Make the user of a column, with a session of the user's own."""
    if about == "unknown":
        return Target(desk.parts.ids.new(IdPrefix.USER), desk.parts.ids.new(IdPrefix.SESSION))
    tenant_id = other_tenant_id if about == "other" else desk.tenant_id
    role = ROLES.get(about, "member")
    made = await desk.parts.make(tenant_id, f"{who}-{about}@example.com", role=role)
    if STATES.get(about):
        await desk.parts.put(tenant_id, made.id, **STATES[about])
    return Target(made.id, await desk.parts.add_session(tenant_id, made.id))


def filled(part: Any, target: Target) -> Any:
    """Return a part of a call with the ids of its target in it."""
    if isinstance(part, dict):
        return {name: filled(value, target) for name, value in part.items()}
    for name in PLACEHOLDERS:
        part = part.replace(f"{{{name}}}", getattr(target, name)) if isinstance(part, str) else part
    return part


async def stored(desk: Desk, target: Target) -> tuple[User, list[tuple[Any, ...]]]:
    """Return everything that a call could have changed of its target."""
    user = await desk.parts.stored(desk.tenant_id, target.user_id)
    return user, await desk.parts.rows(desk.tenant_id, LIST_SESSIONS, user_id=target.user_id)


@pytest.mark.parametrize("call", sorted(TABLES))
async def test_every_cell(desk: Desk, call: str) -> None:
    method, path, body = CALLS[call]
    callers = await make_callers(desk)
    other_tenant_id = await desk.app.make_tenant("Other")
    wrong: dict[tuple[str, str], tuple[int, str]] = {}
    refused_by_all: dict[str, Target] = {}
    for who, cells in cells_of(call).items():
        is_refused = not any(answer[0] < httpx.codes.BAD_REQUEST for answer in cells.values())
        for about, expected in cells.items():
            target = refused_by_all.get(about) if is_refused else None
            if target is None:
                target = await make_target(desk, who, about, other_tenant_id)
            if is_refused:  # nobody changes it: it serves the next one too
                refused_by_all[about] = target
            before = None if about in ABSENT else await stored(desk, target)
            answer = await desk.call(method, filled(path, target), filled(body, target), key=callers[who])
            if error_of(answer) != expected:
                wrong[who, about] = error_of(answer)
            if before is not None and not answer.is_success:
                assert await stored(desk, target) == before
    assert wrong == {}


def test_every_caller_and_every_target_is_in_every_table() -> None:
    for call in TABLES:
        assert cells_of(call).keys() == WHO.keys()
        assert {frozenset(cells) for cells in cells_of(call).values()} == {
            frozenset({"member", "other", "unknown", *ROLES, *STATES} - {"active"})
        }
    assert CALLS.keys() == TABLES.keys()


async def test_every_write_on_one_user_has_a_table(desk: Desk) -> None:
    paths = (await desk.app.get("/openapi.json")).json()["paths"]
    writes = {
        (method.upper(), path)
        for path, methods in paths.items()
        for method in methods
        if method != "get" and (path.startswith("/v1/users/{user_id}") or path == CALLS["impersonate"][1])
    }
    assert writes == {
        (method, path.partition("?")[0]) for method, path, _ in CALLS.values() if not path.startswith("/v1/sessions/")
    }
