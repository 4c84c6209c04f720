"""Passkeys as second factors, made and used by an authenticator of the tests' own, on both stores."""

import asyncio
from base64 import urlsafe_b64decode
from typing import Any

import httpx
import jwt
import pytest

from tests.conftest import ManualClock
from tests.features.auth.parts import PASSWORD, Front, SignedIn, kept, make_front, said
from tests.features.mfa.authenticator import Authenticator, cbor, encoded
from tests.features.mfa.parts import challenge, enrolled, facts, verify
from tests.support import RunningApp

ORIGIN = "https://app.example.com"
WRONG = (401, "invalid_mfa_code")
OVER = (401, "mfa_challenge_invalid")


async def configure(front: Front, rp_id: str = "example.com") -> None:
    section = {"mfa": {"webauthn": {"rp_id": rp_id, "origins": [ORIGIN]}}}
    answer = await front.admin("PATCH", "/v1/admin/config", section)
    assert answer.status_code == 200, answer.text


async def begin(front: Front, access: str, **more: Any) -> dict[str, Any]:
    answer = await front.post("mfa/factors", {"type": "webauthn", "name": "Laptop", **more}, key=access)
    assert answer.status_code == 201, answer.text
    begun: dict[str, Any] = answer.json()
    return begun


async def confirm(front: Front, access: str, factor_id: str, credential: Any) -> httpx.Response:
    return await front.post(f"mfa/factors/{factor_id}/confirm", {"credential": credential}, key=access)


async def with_passkey(front: Front) -> tuple[SignedIn, str, Authenticator]:
    await configure(front)
    alice = await front.sign_up()
    begun, key = await begin(front, alice.access), Authenticator()
    done = await confirm(front, alice.access, begun["id"], key.create(begun["public_key"]))
    assert done.status_code == 200, done.text
    return await front.refresh(alice.refresh), begun["id"], key


async def options(front: Front, waiting: str) -> dict[str, Any]:
    answer = await front.post("mfa/passkey/options", {"challenge_id": waiting})
    assert answer.status_code == 200, answer.text
    asked: dict[str, Any] = answer.json()["public_key"]
    return asked


async def use(front: Front, waiting: str, credential: Any) -> httpx.Response:
    return await front.post("mfa/verify", {"challenge_id": waiting, "credential": credential})


async def test_a_passkey_is_made_and_used(front: Front) -> None:
    await configure(front)
    alice = await front.sign_up()
    begun, key = await begin(front, alice.access), Authenticator()
    public = begun["public_key"]
    assert "secret" not in begun
    assert (public["rp"], public["user"]["name"]) == ({"id": "example.com", "name": "Acme"}, "alice@example.com")
    done = await confirm(front, alice.access, begun["id"], key.create(public))
    assert (done.status_code, len(done.json()["backup_codes"])) == (200, 10)
    assert done.json()["factor"]["type"] == "webauthn"
    assert await facts(front) == {"users": [alice.user_id], "total": 1}

    waiting = await challenge(front)
    asked = await options(front, waiting)
    assert [one["id"] for one in asked["allowCredentials"]] == [key.create(public)["id"]]
    signed_in = kept(await use(front, waiting, key.get(asked)))

    claims = jwt.decode(signed_in.access, options={"verify_signature": False})
    assert claims["amr"] == ["pwd", "hwk", "user", "mfa"]
    assert (await front.entries())[-1].metadata == {
        "session_id": signed_in.session_id,
        "amr": ["pwd", "hwk", "user", "mfa"],
        "factor_id": begun["id"],
    }
    assert (await verify(front, await challenge(front), done.json()["backup_codes"][0])).status_code == 200


async def test_what_was_used_is_good_no_more(front: Front) -> None:
    _, _, key = await with_passkey(front)
    waiting = await challenge(front)
    credential = key.get(await options(front, waiting))
    answers = await asyncio.gather(*(use(front, waiting, credential) for _ in range(16)))
    assert sorted(said(answer) for answer in answers) == [(200, ""), *[OVER] * 15]
    assert said(await use(front, await challenge(front), credential)) == WRONG


async def test_a_count_that_does_not_go_up_is_refused(front: Front) -> None:
    _, _, key = await with_passkey(front)
    waiting = await challenge(front)
    assert (await use(front, waiting, key.get(await options(front, waiting)))).status_code == 200
    key.count -= 1  # what a copy of the authenticator would say
    waiting = await challenge(front)
    assert said(await use(front, waiting, key.get(await options(front, waiting)))) == WRONG


@pytest.mark.parametrize("wrong", ["origin", "domain", "challenge", "key", "nonsense"])
async def test_an_answer_for_something_else_is_refused(front: Front, wrong: str) -> None:
    _, _, key = await with_passkey(front)
    waiting = await challenge(front)
    asked = await options(front, waiting)
    if wrong == "origin":
        key.origin = "https://evil.example"
    if wrong == "domain":
        asked["rpId"] = "evil.example"
    if wrong == "challenge":
        asked["challenge"] = (await options(front, await challenge(front)))["challenge"]
    if wrong == "key":
        other = Authenticator()
        other.credential_id, key = key.credential_id, other
    credential = {"id": "x"} if wrong == "nonsense" else key.get(asked)
    assert said(await use(front, waiting, credential)) == WRONG


@pytest.mark.parametrize("wrong", ["origin", "domain", "challenge", "nonsense", "attestation", "code"])
async def test_a_passkey_made_for_something_else_is_not_confirmed(front: Front, wrong: str) -> None:
    await configure(front)
    alice = await front.sign_up()
    begun = await begin(front, alice.access)
    key, public = Authenticator("https://evil.example" if wrong == "origin" else ORIGIN), begun["public_key"]
    if wrong == "domain":
        public["rp"]["id"] = "evil.example"
    if wrong == "challenge":
        public["challenge"] = (await begin(front, alice.access))["public_key"]["challenge"]
    made = {} if wrong == "nonsense" else key.create(public)
    if wrong == "attestation":  # of a kind that is looked into, and holds a number where a text belongs
        kept_there = urlsafe_b64decode(made["response"]["attestationObject"] + "==")
        none, other = (
            b"".join(map(cbor, (kind, "attStmt", statement)))
            for kind, statement in (("none", {}), ("android-safetynet", {"ver": "1", "response": 5}))
        )
        assert none in kept_there
        made["response"]["attestationObject"] = encoded(kept_there.replace(none, other))
    if wrong == "code":
        answer = await front.post(f"mfa/factors/{begun['id']}/confirm", {"code": "123456"}, key=alice.access)
    else:
        answer = await confirm(front, alice.access, begun["id"], made)
    assert said(answer) == WRONG
    assert (await facts(front))["users"] == []


async def test_16_confirmations_of_one_passkey_at_once(front: Front) -> None:
    await configure(front)
    alice = await front.sign_up()
    begun, key = await begin(front, alice.access), Authenticator()
    credential = key.create(begun["public_key"])
    answers = await asyncio.gather(*(confirm(front, alice.access, begun["id"], credential) for _ in range(16)))
    assert [answer.status_code for answer in answers].count(200) == 1
    assert await facts(front) == {"users": [alice.user_id], "total": 1}


async def test_nothing_of_passkeys_without_a_domain(front: Front) -> None:
    alice = await front.sign_up()
    answer = await front.post("mfa/factors", {"type": "webauthn"}, key=alice.access)
    assert said(answer) == (409, "webauthn_not_configured")


async def test_one_answer_is_sent(front: Front, clock: ManualClock) -> None:
    _, app = await enrolled(front, clock)
    waiting = await challenge(front)
    for body in ({}, {"code": app.code(), "credential": {}}):
        answer = await front.post("mfa/verify", {"challenge_id": waiting, **body})
        assert said(answer) == (422, "validation_failed")
    assert (await verify(front, waiting, app.code())).status_code == 200


async def test_a_passkey_is_removed_like_any_factor(front: Front, app: RunningApp) -> None:
    alice, factor_id, key = await with_passkey(front)
    waiting = await challenge(front)
    asked = await options(front, waiting)
    removed = await front.app.call(alice.access, "DELETE", f"/v1/auth/mfa/factors/{factor_id}", {"password": PASSWORD})
    assert removed.status_code == 204
    assert said(await use(front, waiting, key.get(asked))) == OVER
    assert "passkey" in (await app.mails())[-1].text
    other = await make_front(app)
    await configure(other)
    assert said(await other.post("mfa/passkey/options", {"challenge_id": waiting})) == OVER
