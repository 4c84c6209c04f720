"""The calls of acts.py for roles, organizations and their members."""

from typing import Final

from tests.walk.acts import Act, Call
from tests.walk.world import World

JOIN_PAGE: Final = {"urls": {"organization_invitation_url": "https://app.example.com/join"}}


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


async def _organization(world: World) -> str:
    return str((await world.make("/v1/organizations", {"name": "Acme", "metadata": {"plan": "pro"}}))["id"])


async def _member(world: World) -> tuple[str, str]:
    """Return an organization with a user in it."""
    organization = await _organization(world)
    user = str((await world.make("/v1/users", {"email": "a@example.com"}))["id"])
    await world.make(f"/v1/organizations/{organization}/members", {"user_id": user})
    return organization, user


async def list_organizations(_: World) -> Call:
    return Call(method="GET", path="/v1/organizations?limit=2&query=a")


async def get_organization(world: World) -> Call:
    return Call(method="GET", path=f"/v1/organizations/{await _organization(world)}")


async def create_organization(_: World) -> Call:
    body = {"name": "Acme", "metadata": {"plan": "pro"}}
    return Call(method="POST", path="/v1/organizations", body=body)


async def update_organization(world: World) -> Call:
    organization = await _organization(world)
    body = {"name": "Apex", "metadata": {"plan": None}}
    objects = {"organization": organization}
    return Call(method="PATCH", path=f"/v1/organizations/{organization}", body=body, objects=objects)


async def delete_organization(world: World) -> Call:
    organization, _ = await _member(world)
    return Call(method="DELETE", path=f"/v1/organizations/{organization}", objects={"organization": organization})


async def list_members(world: World) -> Call:
    organization, _ = await _member(world)
    return Call(method="GET", path=f"/v1/organizations/{organization}/members")


async def add_member(world: World) -> Call:
    organization = await _organization(world)
    user = str((await world.make("/v1/users", {"email": "a@example.com"}))["id"])
    body = {"user_id": user, "role": "owner", "reason": "founded it"}
    path = f"/v1/organizations/{organization}/members"
    return Call(method="POST", path=path, body=body, objects={"organization": organization, "user": user})


async def update_member(world: World) -> Call:
    organization, user = await _member(world)
    path = f"/v1/organizations/{organization}/members/{user}"
    objects = {"organization": organization, "user": user}
    return Call(method="PATCH", path=path, body={"role": "admin", "reason": "promoted"}, objects=objects)


async def remove_member(world: World) -> Call:
    organization, user = await _member(world)
    path = f"/v1/organizations/{organization}/members/{user}"
    return Call(
        method="DELETE", path=path, body={"reason": "left"}, objects={"organization": organization, "user": user}
    )


async def _invitation(world: World) -> tuple[str, str]:
    """Return an organization with an open invitation."""
    await world.send("PATCH", "/v1/admin/config", JOIN_PAGE)
    organization = await _organization(world)
    path = f"/v1/organizations/{organization}/invitations"
    return organization, str((await world.make(path, {"email": "a@example.com"}))["id"])


async def list_invitations(world: World) -> Call:
    organization, _ = await _invitation(world)
    return Call(method="GET", path=f"/v1/organizations/{organization}/invitations")


async def create_invitation(world: World) -> Call:
    await world.send("PATCH", "/v1/admin/config", JOIN_PAGE)
    organization = await _organization(world)
    body = {"email": "a@example.com", "role": "admin", "reason": "hired"}
    path = f"/v1/organizations/{organization}/invitations"
    return Call(method="POST", path=path, body=body, objects={"organization": organization})


async def resend_organization_invitation(world: World) -> Call:
    organization, invitation = await _invitation(world)
    path = f"/v1/organizations/{organization}/invitations/{invitation}/resend"
    objects = {"organization": organization, "invitation": invitation}
    return Call(method="POST", path=path, body={"reason": "asked"}, objects=objects)


async def revoke_invitation(world: World) -> Call:
    organization, invitation = await _invitation(world)
    path = f"/v1/organizations/{organization}/invitations/{invitation}"
    objects = {"organization": organization, "invitation": invitation}
    return Call(method="DELETE", path=path, body={"reason": "a mistake"}, objects=objects)


async def list_user_organizations(world: World) -> Call:
    _, user = await _member(world)
    return Call(method="GET", path=f"/v1/users/{user}/organizations")


ORGANIZATION_ACTS: Final[dict[str, Act]] = {
    act.__name__: act
    for act in (
        add_member,
        create_invitation,
        create_organization,
        create_role,
        delete_organization,
        delete_role,
        get_organization,
        get_role,
        list_invitations,
        list_members,
        list_organizations,
        list_roles,
        list_user_organizations,
        remove_member,
        resend_organization_invitation,
        revoke_invitation,
        update_member,
        update_organization,
        update_role,
    )
}
