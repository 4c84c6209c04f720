"""Which roles a tenant may ask for a second factor of, over HTTP on both stores."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.features.tenant_settings.test_routes import PATH, error_of
from tests.support import RunningApp


@pytest.fixture
async def tenant(app: RunningApp) -> str:
    return await app.make_tenant()


@pytest.fixture
async def key(app: RunningApp, tenant: str) -> str:
    return await app.make_key(tenant)


async def make_role(app: RunningApp, key: str, name: str, **fields: Any) -> str:
    answer = await app.call(key, "POST", "/v1/roles", {"name": name, **fields})
    assert answer.status_code == httpx.codes.CREATED, answer.text
    return str(answer.json()["id"])


async def ask(app: RunningApp, key: str, **policy: Any) -> tuple[int, str, list[tuple[str, str]]] | list[str]:
    """Change the policy; return its roles, or the refusal."""
    answer = await app.call(key, "PATCH", PATH, {"mfa": policy})
    return [*answer.json()["mfa"]["roles"]] if answer.is_success else error_of(answer)


async def test_roles_that_do_not_exist_are_named(app: RunningApp, key: str) -> None:
    await make_role(app, key, "editor")
    await make_role(app, key, "guest", scope="organization")
    other = await app.make_key(await app.make_tenant("Other"))
    await make_role(app, other, "elsewhere")
    asked = ["admin", "elsewhere", "editor", "guest", "owner", "member"]
    unknown = [("mfa.roles[1]", "unknown"), ("mfa.roles[3]", "unknown"), ("mfa.roles[4]", "unknown")]
    assert await ask(app, key, required="roles", roles=asked) == (422, "validation_failed", unknown)
    answer = await app.call(key, "PATCH", PATH, {"mfa": {"roles": ["elsewhere"]}})
    assert "'elsewhere'" in answer.json()["error"]["details"][0]["message"]
    assert (await app.call(key, "GET", PATH)).json()["version"] == 1
    known = ["admin", "editor", "member", "super_admin"]
    assert await ask(app, key, required="roles", roles=known) == known
    assert await ask(app, other, roles=["elsewhere"]) == ["elsewhere"]


async def test_asking_roles_needs_one(app: RunningApp, key: str) -> None:
    refused = (422, "validation_failed", [("mfa.roles", "required")])
    assert await ask(app, key, required="roles") == refused
    assert await ask(app, key, required="roles", roles=[]) == refused
    assert await ask(app, key, required="roles", roles=None) == refused
    assert await ask(app, key, required="all", roles=[]) == []
    assert await ask(app, key, roles=["admin"]) == ["admin"]
    assert await ask(app, key, required="roles") == ["admin"]
    assert await ask(app, key, roles=[]) == refused
    assert await ask(app, key, roles=None) == refused
    assert await ask(app, key, webauthn={"rp_id": "example.com"}) == ["admin"]
    assert await ask(app, key, required="off", roles=[]) == []


async def test_a_role_that_is_asked_is_not_deleted(app: RunningApp, key: str) -> None:
    role_id = await make_role(app, key, "editor")
    await ask(app, key, required="roles", roles=["editor"])
    assert error_of(await app.call(key, "DELETE", f"/v1/roles/{role_id}")) == (409, "role_in_use", [])
    await ask(app, key, required="off", roles=[])
    assert (await app.call(key, "DELETE", f"/v1/roles/{role_id}")).status_code == httpx.codes.NO_CONTENT


async def test_of_asking_a_role_and_deleting_it_at_once_one_is_done(app: RunningApp, key: str) -> None:
    for number in range(8):
        role_id = await make_role(app, key, f"editor{number}")
        answers = await asyncio.gather(
            app.call(key, "DELETE", f"/v1/roles/{role_id}"),
            app.call(key, "PATCH", PATH, {"mfa": {"required": "roles", "roles": [f"editor{number}"]}}),
        )
        assert sorted(answer.is_success for answer in answers) == [False, True]
        roles = {role["name"] for role in (await app.call(key, "GET", "/v1/roles?limit=100")).json()["data"]}
        assert set((await app.call(key, "GET", PATH)).json()["mfa"]["roles"]) <= roles
