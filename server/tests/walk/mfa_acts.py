"""The calls of acts.py for second factors: one's own, those of users, and the second step of a sign-in."""

from typing import Any, Final

import httpx
from pyotp.totp import TOTP

from tests.features.mfa.authenticator import Authenticator
from tests.walk.acts import Act, Call
from tests.walk.world import World

PASSWORD: Final = "correct horse battery"
EMAIL: Final = "a@example.com"
STEP: Final = 30


def _code(world: World, secret: str, steps: int = 0) -> str:
    return TOTP(secret).at(world.services.clock.now_ms() // 1000 + steps * STEP)


async def _sign_up(world: World) -> dict[str, Any]:
    return await world.make("/v1/auth/sign-up", {"email": EMAIL, "password": PASSWORD}, key=world.publishable_key)


async def _begun(world: World, token: str) -> dict[str, Any]:
    return await world.make("/v1/auth/mfa/factors", {"type": "totp"}, key=token)


async def _enrolled(world: World) -> tuple[dict[str, Any], dict[str, Any]]:
    """Sign somebody up with a second factor; return the refreshed session, and what the authenticator app was given."""
    signed_up = await _sign_up(world)
    token = signed_up["session"]["access_token"]
    begun = await _begun(world, token)
    path = f"/v1/auth/mfa/factors/{begun['id']}/confirm"
    confirmed = await world.send("POST", path, {"code": _code(world, begun["secret"])}, key=token)
    assert confirmed.status_code == httpx.codes.OK, confirmed.text
    body = {"refresh_token": signed_up["session"]["refresh_token"]}
    fresh = await world.send("POST", "/v1/auth/token/refresh", body, key=world.publishable_key)
    return fresh.json(), begun


def _own(signed_in: dict[str, Any], **objects: str) -> dict[str, Any]:
    objects = {"caller": signed_in["user"]["id"], **objects}
    return {"credential": signed_in["session"]["access_token"], "objects": objects}


async def verify_mfa(world: World) -> Call:
    signed_in, begun = await _enrolled(world)
    body = {"email": EMAIL, "password": PASSWORD}
    asked = await world.send("POST", "/v1/auth/sign-in", body, key=world.publishable_key)
    body = {"challenge_id": asked.json()["error"]["challenge_id"], "code": _code(world, begun["secret"], 1)}
    return Call(
        method="POST",
        path="/v1/auth/mfa/verify",
        body=body,
        credential=world.publishable_key,
        objects={"caller": signed_in["user"]["id"], "factor": begun["id"]},
    )


async def get_passkey_options(world: World) -> Call:
    await _configure(world)
    waiting = (await verify_mfa(world)).body["challenge_id"]
    path = "/v1/auth/mfa/passkey/options"
    return Call(method="POST", path=path, body={"challenge_id": waiting}, credential=world.publishable_key)


async def _configure(world: World) -> None:
    section = {"mfa": {"webauthn": {"rp_id": "example.com", "origins": ["https://app.example.com"]}}}
    await world.send("PATCH", "/v1/admin/config", section)


async def begin_passkey_sign_in(world: World) -> Call:
    await _configure(world)
    return Call(method="POST", path="/v1/auth/passkeys/options", credential=world.publishable_key)


async def sign_in_with_passkey(world: World) -> Call:
    await _configure(world)
    signed_up, key = await _sign_up(world), Authenticator()
    user, token = signed_up["user"]["id"], signed_up["session"]["access_token"]
    begun = await world.make("/v1/auth/mfa/factors", {"type": "webauthn"}, key=token)
    body: dict[str, Any] = {"credential": key.create(begun["public_key"])}
    confirmed = await world.send("POST", f"/v1/auth/mfa/factors/{begun['id']}/confirm", body, key=token)
    assert confirmed.status_code == httpx.codes.OK, confirmed.text
    asked = (await world.send("POST", "/v1/auth/passkeys/options", key=world.publishable_key)).json()
    return Call(
        method="POST",
        path="/v1/auth/passkeys/verify",
        body={"challenge_id": asked["challenge_id"], "credential": key.get(asked["public_key"], user=user)},
        credential=world.publishable_key,
        objects={"caller": user, "factor": begun["id"]},
    )


async def list_own_factors(world: World) -> Call:
    return Call(method="GET", path="/v1/auth/mfa/factors", **_own(await _sign_up(world)))


async def begin_own_factor(world: World) -> Call:
    return Call(method="POST", path="/v1/auth/mfa/factors", body={"type": "totp"}, **_own(await _sign_up(world)))


async def confirm_own_factor(world: World) -> Call:
    signed_up = await _sign_up(world)
    begun = await _begun(world, signed_up["session"]["access_token"])
    path = f"/v1/auth/mfa/factors/{begun['id']}/confirm"
    body = {"code": _code(world, begun["secret"])}
    return Call(method="POST", path=path, body=body, **_own(signed_up, factor=begun["id"]))


async def remove_own_factor(world: World) -> Call:
    signed_in, begun = await _enrolled(world)
    path = f"/v1/auth/mfa/factors/{begun['id']}"
    return Call(method="DELETE", path=path, body={"password": PASSWORD}, **_own(signed_in, factor=begun["id"]))


async def generate_own_backup_codes(world: World) -> Call:
    signed_in, _ = await _enrolled(world)
    path = "/v1/auth/mfa/backup-codes/generate"
    return Call(method="POST", path=path, body={"password": PASSWORD}, **_own(signed_in))


async def list_user_factors(world: World) -> Call:
    user = (await _enrolled(world))[0]["user"]["id"]
    return Call(method="GET", path=f"/v1/users/{user}/mfa/factors", objects={"user": user})


async def begin_user_factor(world: World) -> Call:
    user = (await _sign_up(world))["user"]["id"]
    body = {"type": "totp", "reason": "asked to"}
    return Call(method="POST", path=f"/v1/users/{user}/mfa/factors", body=body, objects={"user": user})


async def confirm_user_factor(world: World) -> Call:
    signed_up = await _sign_up(world)
    user, begun = signed_up["user"]["id"], await _begun(world, signed_up["session"]["access_token"])
    path = f"/v1/users/{user}/mfa/factors/{begun['id']}/confirm"
    body = {"code": _code(world, begun["secret"])}
    return Call(method="POST", path=path, body=body, objects={"user": user, "factor": begun["id"]})


async def remove_user_factor(world: World) -> Call:
    signed_in, begun = await _enrolled(world)
    user = signed_in["user"]["id"]
    path = f"/v1/users/{user}/mfa/factors/{begun['id']}"
    body = {"reason": "a lost phone"}
    return Call(method="DELETE", path=path, body=body, objects={"user": user, "factor": begun["id"]})


async def generate_user_backup_codes(world: World) -> Call:
    user = (await _enrolled(world))[0]["user"]["id"]
    path = f"/v1/users/{user}/mfa/backup-codes/generate"
    return Call(method="POST", path=path, body={"reason": "lost the list"}, objects={"user": user})


MFA_BY_PUBLISHABLE_KEY: Final[dict[str, Act]] = {
    "begin_passkey_sign_in": begin_passkey_sign_in,
    "get_passkey_options": get_passkey_options,
    "sign_in_with_passkey": sign_in_with_passkey,
    "verify_mfa": verify_mfa,
}
MFA_BY_ACCESS_TOKEN: Final[dict[str, Act]] = {
    act.__name__: act
    for act in (
        begin_own_factor,
        confirm_own_factor,
        generate_own_backup_codes,
        list_own_factors,
        remove_own_factor,
    )
}
MFA_BY_SECRET_KEY: Final[dict[str, Act]] = {
    act.__name__: act
    for act in (
        begin_user_factor,
        confirm_user_factor,
        generate_user_backup_codes,
        list_user_factors,
        remove_user_factor,
    )
}
