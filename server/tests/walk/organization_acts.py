"""The calls of acts.py for roles."""

from typing import Final

from tests.walk.acts import Act, Call
from tests.walk.world import World


async def _role(world: World) -> str:
    body = {"name": "editor", "permissions": ["documents:read"]}
    return str((await world.make("/v1/roles", body))["id"])


async def list_roles(_: World) -> Call:
    return Call(method="GET", path="/v1/roles?limit=2")


async def get_role(world: World) -> Call:
    return Call(method="GET", path=f"/v1/roles/{await _role(world)}")


async def create_role(_: World) -> Call:
    body = {"name": "officer", "permissions": ["access:review"], "privileged": True}
    return Call(method="POST", path="/v1/roles", body=body)


async def update_role(world: World) -> Call:
    role = await _role(world)
    return Call(method="PATCH", path=f"/v1/roles/{role}", body={"description": "Edits"}, objects={"role": role})


async def delete_role(world: World) -> Call:
    role = await _role(world)
    return Call(method="DELETE", path=f"/v1/roles/{role}", objects={"role": role})


ORGANIZATION_ACTS: Final[dict[str, Act]] = {
    act.__name__: act for act in (create_role, delete_role, get_role, list_roles, update_role)
}
