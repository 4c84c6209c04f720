"""Signing in with a passkey alone, by an authenticator of the tests' own, on both stores."""

import asyncio
from typing import Any, Final

import httpx
import jwt
import pytest

from hellojohn_server.kit.challenges import end_of_passkey_challenge, make_passkey_challenge
from hellojohn_server.kit.secrets import Sealer
from hellojohn_server.storage.sql import Statement
from tests.conftest import ManualClock
from tests.features.auth.parts import PASSWORD, Front, kept, make_front, said
from tests.features.mfa.authenticator import Authenticator, encoded
from tests.features.mfa.parts import App, challenge, facts, rows, told, verify
from tests.features.mfa.parts import begin as begin_totp
from tests.features.mfa.parts import confirm as confirm_totp
from tests.features.mfa_sign_in.test_passkeys import begin, configure, confirm, with_passkey
from tests.features.password_reset.parts import NEXT, forgot, newest_token, reset
from tests.support import RunningApp

REFUSED: Final = (401, "invalid_passkey")
LIST_USED: Final = Statement("SELECT challenge_hash FROM used_passkey_challenges WHERE tenant_id = :tenant_id")


async def ask(front: Front) -> dict[str, Any]:
    answer = await front.app.call(front.publishable, "POST", "/v1/auth/passkeys/options")
    assert answer.status_code == 200, answer.text
    asked: dict[str, Any] = answer.json()
    return asked


async def answer_with(front: Front, asked: dict[str, Any], credential: Any) -> httpx.Response:
    return await front.post("passkeys/verify", {"challenge_id": asked["challenge_id"], "credential": credential})


async def enter(front: Front, key: Authenticator, user_id: str | None, **more: Any) -> httpx.Response:
    asked = await ask(front)
    return await answer_with(front, asked, key.get(asked["public_key"], user=user_id, **more))


async def failures(front: Front) -> list[Any]:
    return [entry["code"] for entry in await told(front, "user.sign_in_failed")]


async def test_a_passkey_alone_signs_in_and_counts_as_two_factors(front: Front) -> None:
    await configure(front)
    await front.admin("PATCH", "/v1/admin/config", {"mfa": {"required": "all"}})
    alice, key = await front.sign_up(), Authenticator()
    begun = await begin(front, alice.access)
    assert begun["public_key"]["authenticatorSelection"]["residentKey"] == "preferred"
    await confirm(front, alice.access, begun["id"], key.create(begun["public_key"]))
    asked = await ask(front)
    public = asked["public_key"]
    assert (public["rpId"], public["allowCredentials"], public["userVerification"]) == ("example.com", [], "required")
    assert asked["expires_at"] == "2026-09-21T14:18:20.000Z"

    answer = await answer_with(front, asked, key.get(public, user=alice.user_id))

    signed_in = kept(answer)
    assert (signed_in.user_id, "mfa_enrollment_required" in answer.json()["session"]) == (alice.user_id, False)
    claims = jwt.decode(signed_in.access, options={"verify_signature": False})
    assert (claims["amr"], claims["aud"]) == (["hwk", "user", "mfa"], front.tenant_id)
    entry = (await front.entries())[-1]
    assert (entry.type, entry.actor.id) == ("user.signed_in", alice.user_id)
    assert entry.metadata == {
        "session_id": signed_in.session_id,
        "amr": ["hwk", "user", "mfa"],
        "factor_id": begun["id"],
    }
    shown = (await front.admin("GET", f"/v1/users/{alice.user_id}")).json()
    assert shown["last_sign_in_at"] == "2026-09-21T14:13:20.000Z"
    stats = (await front.admin("GET", "/v1/admin/stats")).json()
    assert stats["sign_ins"]["succeeded"]["last_7_days"] == 2
    again = await front.refresh(signed_in.refresh)
    assert jwt.decode(again.access, options={"verify_signature": False})["amr"] == ["hwk", "user", "mfa"]


@pytest.mark.parametrize("verified", [False, True])
async def test_who_signed_up_with_the_address_of_another_keeps_no_way_in(front: Front, *, verified: bool) -> None:
    alice, _, key = await with_passkey(front)
    pending = (await begin(front, alice.access, password=PASSWORD))["id"]
    if verified:
        await front.admin("PATCH", f"/v1/users/{alice.user_id}", {"email_verified": True})
    await forgot(front)

    assert await reset(front, await newest_token(front)) == (204, "")

    answer = await enter(front, key, alice.user_id)
    assert said(answer) == ((200, "") if verified else REFUSED)
    left = (await front.admin("GET", f"/v1/users/{alice.user_id}/mfa/factors")).json()
    assert (len(left["data"]), left["backup_codes_left"]) == ((2, 10) if verified else (0, 0)), pending
    assert (await facts(front))["total"] == int(verified)
    [entry] = await told(front, "user.password_reset")
    assert entry.get("passkeys_removed") == (None if verified else 1)
    assert await front.try_sign_in(password=NEXT) == ((403, "mfa_required") if verified else (200, ""))


@pytest.mark.parametrize("step", [0, 1])
async def test_of_16_with_one_answer_one_signs_in(front: Front, step: int) -> None:
    await configure(front)
    alice, key = await front.sign_up(), Authenticator(step=step)
    begun = await begin(front, alice.access)
    await confirm(front, alice.access, begun["id"], key.create(begun["public_key"]))
    asked = await ask(front)
    credential = key.get(asked["public_key"], user=alice.user_id)
    answers = await asyncio.gather(*(answer_with(front, asked, credential) for _ in range(16)))
    assert sorted(said(answer) for answer in answers) == [(200, ""), *[REFUSED] * 15]
    assert said(await answer_with(front, asked, credential)) == REFUSED
    assert len(await told(front, "user.signed_in")) == 2
    assert (await enter(front, key, alice.user_id)).status_code == 200


async def test_a_count_that_does_not_go_up_is_refused_and_recorded(front: Front) -> None:
    alice, _, key = await with_passkey(front)
    assert (await enter(front, key, alice.user_id)).status_code == 200
    key.count -= 1  # what a copy of the authenticator would say
    assert said(await enter(front, key, alice.user_id)) == REFUSED
    assert await failures(front) == ["invalid_passkey"]


WRONG: Final = (
    "origin",
    "domain",
    "challenge",
    "key",
    "unverified",
    "nonsense",
    "nobody",
    "other",
    "no user",
    "removed",
)
RECORDED: Final = {"origin", "domain", "challenge", "key", "unverified"}


@pytest.mark.parametrize("wrong", WRONG)
async def test_every_other_answer_is_refused_alike(front: Front, wrong: str) -> None:
    alice, factor_id, key = await with_passkey(front)
    user: str | None = alice.user_id
    if wrong == "removed":
        await front.admin("DELETE", f"/v1/users/{alice.user_id}/mfa/factors/{factor_id}")
    asked = await ask(front)
    public = asked["public_key"]
    if wrong == "origin":
        key.origin = "https://evil.example"
    if wrong == "domain":
        public["rpId"] = "evil.example"
    if wrong == "challenge":
        public["challenge"] = (await ask(front))["public_key"]["challenge"]
    if wrong == "key":
        other = Authenticator()
        other.credential_id, key = key.credential_id, other
    if wrong == "nobody":
        user = "usr_01HABCDEF6543210000000000G"
    if wrong == "other":
        user = (await front.sign_up("bob@example.com")).user_id
    if wrong == "no user":
        user = None
    credential = key.get(public, user=user, verified=wrong != "unverified")
    if wrong == "nonsense":
        credential = {"id": "x", "response": {"userHandle": encoded(b"\xff\xfe")}}
    assert said(await answer_with(front, asked, credential)) == REFUSED
    assert await failures(front) == (["invalid_passkey"] if wrong in RECORDED else [])


@pytest.mark.parametrize(
    "credential",
    [{}, {"id": 1, "response": []}, {"response": {"userHandle": 7}}, {"response": {"userHandle": "A" * 4000}}],
)
async def test_what_is_no_credential_is_refused(front: Front, credential: dict[str, Any]) -> None:
    await with_passkey(front)
    assert said(await answer_with(front, await ask(front), credential)) == REFUSED


async def test_a_challenge_is_good_for_five_minutes_and_kept_only_until_then(front: Front, clock: ManualClock) -> None:
    alice, _, key = await with_passkey(front)
    asked = await ask(front)
    credential = key.get(asked["public_key"], user=alice.user_id)
    assert await rows(front, LIST_USED) == []
    clock.advance(299.999)
    assert (await answer_with(front, asked, credential)).status_code == 200
    [(kept_hash,)] = await rows(front, LIST_USED)
    assert len(bytes(kept_hash)) == 32
    late = await ask(front)
    clock.advance(300)
    assert said(await answer_with(front, late, key.get(late["public_key"], user=alice.user_id))) == REFUSED
    await front.app.services.mfa.purge(front.tenant_id, clock.now_ms())
    assert await rows(front, LIST_USED) == []
    assert said(await answer_with(front, asked, credential)) == REFUSED


async def test_it_is_of_one_tenant(front: Front, app: RunningApp) -> None:
    alice, _, key = await with_passkey(front)
    other = await make_front(app)
    assert said(await app.call(other.publishable, "POST", "/v1/auth/passkeys/options")) == (
        409,
        "webauthn_not_configured",
    )
    asked = await ask(front)
    credential = key.get(asked["public_key"], user=alice.user_id)
    assert said(await answer_with(other, asked, credential)) == (409, "webauthn_not_configured")
    await configure(other)
    assert said(await answer_with(other, asked, credential)) == REFUSED
    theirs = await ask(other)
    assert said(await answer_with(other, theirs, key.get(theirs["public_key"], user=alice.user_id))) == REFUSED
    assert (await answer_with(front, asked, credential)).status_code == 200


async def test_challenges_of_the_two_ways_are_not_mixed_up(front: Front) -> None:
    alice, _, key = await with_passkey(front)
    waiting, asked = await challenge(front), await ask(front)
    answer = await front.post("mfa/passkey/options", {"challenge_id": asked["challenge_id"]})
    assert said(answer) == (422, "validation_failed")  # it is longer than any of those
    second = (await front.post("mfa/passkey/options", {"challenge_id": waiting})).json()["public_key"]
    credential = key.get(second, user=alice.user_id)
    assert said(await answer_with(front, {"challenge_id": waiting}, credential)) == REFUSED


async def act(front: Front, user_id: str, state: str) -> None:
    """Bring a user into a state in which nobody is let in."""
    if state == "locked":
        for _ in range(10):
            await front.post("sign-in", {"email": "alice@example.com", "password": "not the password"})
        return
    path, body = {
        "banned": ("ban", {"reason": "spam"}),
        "disabled": ("disable", {}),
        "reset": ("password-reset", {"require": True}),
    }[state]
    answer = await front.admin("POST", f"/v1/users/{user_id}/{path}", body)
    assert answer.is_success, answer.text


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("banned", "account_banned"),
        ("disabled", "account_disabled"),
        ("locked", "account_locked"),
        ("reset", "password_reset_required"),
    ],
)
async def test_who_is_kept_out_is_kept_out(front: Front, state: str, code: str) -> None:
    alice, _, key = await with_passkey(front)
    await act(front, alice.user_id, state)
    before = await failures(front)
    assert said(await enter(front, key, alice.user_id)) == (403, code)
    assert await failures(front) == [*before, code]
    stats = (await front.admin("GET", "/v1/admin/stats")).json()
    assert stats["sign_ins"]["failed"]["last_7_days"] == len(before) + 1
    assert len(await told(front, "user.signed_in")) == 1


async def test_who_is_in_the_recycle_bin_is_nobody(front: Front) -> None:
    alice, _, key = await with_passkey(front)
    await front.admin("DELETE", f"/v1/users/{alice.user_id}")
    assert said(await enter(front, key, alice.user_id)) == REFUSED


async def test_a_passkey_with_anothers_id_is_of_no_use(front: Front) -> None:
    alice, _, key = await with_passkey(front)
    mallory, forged = await front.sign_up("mallory@example.com"), Authenticator()
    forged.credential_id = key.credential_id
    begun = await begin(front, mallory.access)
    await confirm(front, mallory.access, begun["id"], forged.create(begun["public_key"]))
    assert said(await enter(front, forged, alice.user_id)) == REFUSED
    assert kept(await enter(front, forged, mallory.user_id)).user_id == mallory.user_id
    assert kept(await enter(front, key, alice.user_id)).user_id == alice.user_id


async def test_wrong_answers_take_no_codes_from_the_user(front: Front, clock: ManualClock) -> None:
    alice, _, key = await with_passkey(front)
    app: App = await begin_totp(front, alice.access, clock, password=PASSWORD)
    assert (await confirm_totp(front, alice.access, app)).status_code == 200
    clock.advance(30)
    for _ in range(8):
        assert said(await enter(front, key, alice.user_id, verified=False)) == REFUSED
    assert (await verify(front, await challenge(front), app.code())).status_code == 200


async def test_a_passkey_proves_again_who_it_is(front: Front) -> None:
    alice, _, key = await with_passkey(front)
    generate = "mfa/backup-codes/generate"
    asked = await ask(front)
    credential = key.get(asked["public_key"], user=alice.user_id)
    proof = {"passkey": {"challenge_id": asked["challenge_id"], "credential": credential}}
    answers = await asyncio.gather(*(front.post(generate, proof, key=alice.access) for _ in range(16)))
    assert [answer.status_code for answer in answers].count(200) == 1
    assert {said(answer)[1] for answer in answers} <= {
        "",
        "invalid_passkey",
        "invalid_mfa_code",
        "too_many_mfa_attempts",
    }
    assert said(await answer_with(front, asked, credential)) == REFUSED

    asked = await ask(front)
    credential = key.get(asked["public_key"], user=alice.user_id)
    proof = {"passkey": {"challenge_id": asked["challenge_id"], "credential": credential}}
    several = await front.post(generate, {**proof, "password": PASSWORD}, key=alice.access)
    assert said(several) == (422, "validation_failed")
    bob = await front.sign_up("bob@example.com")
    assert said(await front.post(generate, proof, key=bob.access)) == (401, "invalid_mfa_code")
    assert said(
        await front.post(generate, {"passkey": {**proof["passkey"], "challenge_id": "pkc_x"}}, key=alice.access)
    ) == (
        401,
        "invalid_passkey",
    )


def test_a_challenge_is_sealed_and_of_its_tenant() -> None:
    sealer = Sealer(bytes(32))
    text = make_passkey_challenge(sealer, "tnt_1", 5)
    assert end_of_passkey_challenge(sealer, "tnt_1", text) == 5
    wrong = (
        "",
        "pkc_",
        text[4:],
        "mch_" + text[4:],
        text[:-2],
        text[:20] + "A" + text[21:],
        "pkc_ä",
        "pkc_A",
        text + "A",
    )
    for other in wrong:
        assert other == text or end_of_passkey_challenge(sealer, "tnt_1", other) is None, other
    assert end_of_passkey_challenge(sealer, "tnt_2", text) is None
    assert end_of_passkey_challenge(Sealer(bytes([1] * 32)), "tnt_1", text) is None
