"""The calls of acts.py for what users do about themselves, and for sessions."""

from typing import Any, Final

import httpx

from tests.features.password_reset.parts import token_in
from tests.walk.access_acts import ACCESS_ACTS
from tests.walk.acts import ACTS, Act, Call
from tests.walk.import_acts import IMPORT_ACTS
from tests.walk.job_acts import JOB_ACTS
from tests.walk.mfa_acts import MFA_BY_ACCESS_TOKEN, MFA_BY_PUBLISHABLE_KEY, MFA_BY_SECRET_KEY
from tests.walk.organization_acts import ORGANIZATION_ACTS
from tests.walk.world import World

PASSWORD: Final = "correct horse battery"
EMAIL: Final = "a@example.com"


async def _sign_up(world: World, email: str = EMAIL) -> dict[str, Any]:
    """Return the answer to a sign-up."""
    return await world.make("/v1/auth/sign-up", {"email": email, "password": PASSWORD}, key=world.publishable_key)


async def access_token(world: World) -> str:
    """Return an access token of somebody who is in no other call."""
    return str((await _sign_up(world, "somebody@example.com"))["session"]["access_token"])


async def _sign_in(world: World) -> dict[str, Any]:
    body = {"email": EMAIL, "password": PASSWORD}
    answer = await world.send("POST", "/v1/auth/sign-in", body, key=world.publishable_key)
    assert answer.status_code == httpx.codes.OK, answer.text
    signed_in: dict[str, Any] = answer.json()
    return signed_in


def _of(signed_in: dict[str, Any]) -> dict[str, Any]:
    """Return what a call by a signed-in user has beside method and path."""
    objects = {"caller": signed_in["user"]["id"], "session": signed_in["session"]["id"]}
    return {"credential": signed_in["session"]["access_token"], "objects": objects}


async def sign_up(world: World) -> Call:
    body = {"email": EMAIL, "password": PASSWORD}
    return Call(method="POST", path="/v1/auth/sign-up", body=body, credential=world.publishable_key)


async def sign_in(world: World) -> Call:
    caller = (await _sign_up(world))["user"]["id"]
    return Call(
        method="POST",
        path="/v1/auth/sign-in",
        body={"email": EMAIL, "password": PASSWORD},
        credential=world.publishable_key,
        objects={"caller": caller},
    )


async def refresh_tokens(world: World) -> Call:
    body = {"refresh_token": (await _sign_up(world))["session"]["refresh_token"]}
    return Call(method="POST", path="/v1/auth/token/refresh", body=body, credential=world.publishable_key)


async def sign_out(world: World) -> Call:
    return Call(method="POST", path="/v1/auth/sign-out", **_of(await _sign_up(world)))


async def get_me(world: World) -> Call:
    return Call(method="GET", path="/v1/auth/me", **_of(await _sign_up(world)))


async def update_me(world: World) -> Call:
    return Call(method="PATCH", path="/v1/auth/me", body={"name": "B"}, **_of(await _sign_up(world)))


async def change_password(world: World) -> Call:
    await _sign_up(world)
    body = {"current_password": PASSWORD, "new_password": "another long one"}
    return Call(method="POST", path="/v1/auth/password/change", body=body, **_of(await _sign_in(world)))


async def change_email(world: World) -> Call:
    body = {"email": "new@example.com", "current_password": PASSWORD}
    return Call(method="POST", path="/v1/auth/me/email", body=body, **_of(await _sign_up(world)))


async def forgot_password(world: World) -> Call:
    caller = (await _sign_up(world))["user"]["id"]
    body = {"email": EMAIL}
    return Call(
        method="POST",
        path="/v1/auth/password/forgot",
        body=body,
        credential=world.publishable_key,
        objects={"user": caller},
    )


async def reset_password(world: World) -> Call:
    asked = await forgot_password(world)
    await world.send("POST", asked.path, asked.body, key=world.publishable_key)
    body = {"token": token_in((await world.mails())[-1]), "password": "another long one"}
    return Call(
        method="POST",
        path="/v1/auth/password/reset",
        body=body,
        credential=world.publishable_key,
        objects={"caller": asked.objects["user"]},
    )


async def verify_email(world: World) -> Call:
    caller = (await _sign_up(world))["user"]["id"]
    return Call(
        method="POST",
        path="/v1/auth/email/verify",
        body={"token": token_in((await world.mails())[-1])},
        credential=world.publishable_key,
        objects={"caller": caller},
    )


async def accept_invitation(world: World) -> Call:
    made = await world.make("/v1/users", {"email": EMAIL, "send_invitation": True})
    return Call(
        method="POST",
        path="/v1/auth/invitation/accept",
        body={"token": token_in((await world.mails())[-1]), "password": PASSWORD},
        credential=world.publishable_key,
        objects={"caller": made["id"]},
    )


async def request_magic_link(world: World) -> Call:
    caller = (await _sign_up(world))["user"]["id"]
    await world.send("PATCH", "/v1/admin/config", {"urls": {"magic_link_url": "https://app.example.com/enter"}})
    return Call(
        method="POST",
        path="/v1/auth/magic-link",
        body={"email": EMAIL},
        credential=world.publishable_key,
        objects={"user": caller},
    )


async def verify_magic_link(world: World) -> Call:
    asked = await request_magic_link(world)
    await world.send("POST", asked.path, asked.body, key=world.publishable_key)
    return Call(
        method="POST",
        path="/v1/auth/magic-link/verify",
        body={"token": token_in((await world.mails())[-1])},
        credential=world.publishable_key,
        objects={"caller": asked.objects["user"]},
    )


async def list_own_sessions(world: World) -> Call:
    return Call(method="GET", path="/v1/auth/sessions", **_of(await _sign_up(world)))


async def revoke_own_session(world: World) -> Call:
    other = (await _sign_up(world))["session"]["id"]
    mine = _of(await _sign_in(world))
    mine["objects"]["session"] = other
    return Call(method="DELETE", path=f"/v1/auth/sessions/{other}", **mine)


async def list_sessions(world: World) -> Call:
    await _sign_up(world)
    return Call(method="GET", path="/v1/sessions?limit=2")


async def revoke_every_session(world: World) -> Call:
    await _sign_up(world)
    body = {"reason": "a breach"}
    return Call(
        method="DELETE",
        path=f"/v1/sessions?confirm={world.tenant_id}",
        body=body,
        objects={"tenant": world.tenant_id},
    )


async def list_revocations(world: World) -> Call:
    session = (await _sign_up(world))["session"]["id"]
    assert (await world.send("DELETE", f"/v1/sessions/{session}")).is_success
    return Call(method="GET", path="/v1/revocations?limit=10")


async def verify_token(world: World) -> Call:
    token = (await _sign_up(world))["session"]["access_token"]
    return Call(method="POST", path="/v1/sessions/verify", body={"token": token})


async def get_session(world: World) -> Call:
    return Call(method="GET", path=f"/v1/sessions/{(await _sign_up(world))['session']['id']}")


async def revoke_session(world: World) -> Call:
    signed_in = await _sign_up(world)
    session = signed_in["session"]["id"]
    objects = {"user": signed_in["user"]["id"], "session": session}
    return Call(method="DELETE", path=f"/v1/sessions/{session}", body={"reason": "a lost phone"}, objects=objects)


async def list_user_sessions(world: World) -> Call:
    return Call(method="GET", path=f"/v1/users/{(await _sign_up(world))['user']['id']}/sessions")


async def _in_organization(world: World) -> tuple[str, dict[str, Any]]:
    mine = _of(await _sign_up(world))
    organization = str((await world.make("/v1/organizations", {"name": "Acme"}))["id"])
    await world.make(f"/v1/organizations/{organization}/members", {"user_id": mine["objects"]["caller"]})
    mine["objects"] |= {"organization": organization, "user": mine["objects"]["caller"]}
    return organization, mine


async def _invited(world: World) -> tuple[str, str]:
    """Return an organization, and the secret of the link that was mailed into it."""
    await world.send(
        "PATCH", "/v1/admin/config", {"urls": {"organization_invitation_url": "https://app.example.com/join"}}
    )
    organization = str((await world.make("/v1/organizations", {"name": "Acme"}))["id"])
    await world.make(f"/v1/organizations/{organization}/invitations", {"email": EMAIL})
    return organization, token_in((await world.mails())[-1])


async def join_organization(world: World) -> Call:
    mine = _of(await _sign_up(world))
    await world.send("PATCH", f"/v1/users/{mine['objects']['caller']}", {"email_verified": True})
    organization, token = await _invited(world)
    mine["objects"]["organization"] = organization
    return Call(method="POST", path="/v1/auth/organization-invitations/accept", body={"token": token}, **mine)


async def sign_up_invited(world: World) -> Call:
    organization, token = await _invited(world)
    return Call(
        method="POST",
        path="/v1/auth/organization-invitations/sign-up",
        body={"token": token, "password": PASSWORD},
        credential=world.publishable_key,
        objects={"organization": organization},
    )


async def list_own_organizations(world: World) -> Call:
    _, mine = await _in_organization(world)
    return Call(method="GET", path="/v1/auth/organizations", **mine)


async def leave_organization(world: World) -> Call:
    organization, mine = await _in_organization(world)
    return Call(method="DELETE", path=f"/v1/auth/organizations/{organization}", **mine)


BY_PUBLISHABLE_KEY: Final = {
    **{
        act.__name__: act
        for act in (
            accept_invitation,
            forgot_password,
            refresh_tokens,
            request_magic_link,
            reset_password,
            sign_in,
            sign_up,
            sign_up_invited,
            verify_email,
            verify_magic_link,
        )
    },
    **MFA_BY_PUBLISHABLE_KEY,
}
BY_ACCESS_TOKEN: Final = {
    **{
        act.__name__: act
        for act in (
            join_organization,
            change_email,
            change_password,
            get_me,
            leave_organization,
            list_own_organizations,
            list_own_sessions,
            revoke_own_session,
            sign_out,
            update_me,
        )
    },
    **MFA_BY_ACCESS_TOKEN,
}
BY_SECRET_KEY: Final = {
    act.__name__: act
    for act in (
        get_session,
        list_revocations,
        list_sessions,
        list_user_sessions,
        revoke_every_session,
        revoke_session,
        verify_token,
    )
}
EVERY_ACT: Final[dict[str, Act]] = {
    **ACTS,
    **ACCESS_ACTS,
    **ORGANIZATION_ACTS,
    **JOB_ACTS,
    **MFA_BY_SECRET_KEY,
    **BY_PUBLISHABLE_KEY,
    **BY_ACCESS_TOKEN,
    **BY_SECRET_KEY,
    **IMPORT_ACTS,
}
"""One call of every operation."""
