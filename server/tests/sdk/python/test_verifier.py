"""What the verifiers accept and refuse, by signature, claims and keys, with tokens of a real server."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hellojohn import MissingCredential
from hellojohn.types import JsonWebKey, JsonWebKeySet
from hellojohn.verify import AsyncVerifier, InvalidToken, VerificationUnavailable, Verifier
from hellojohn.verify._keys import Keys
from hellojohn_server.kit.tokens import AccessClaims, enrollment_audience
from tests.sdk.python.verifiers import KINDS, Judge, impersonated, judge, options_of, signed, signed_up
from tests.sdk.typescript.recorder import Site
from tests.walk.world import another_tenant

KEY_SET = "/.well-known/jwks.json"


@pytest.fixture(params=KINDS)
async def verifier(site: Site, request: pytest.FixtureRequest) -> AsyncIterator[Judge]:
    async with judge(request.param, **options_of(site, revocations=False)) as made:
        yield made


def claims_in(token: str) -> AccessClaims:
    return msgspec.json.decode(base64.urlsafe_b64decode(token.split(".")[1] + "=="), type=AccessClaims)


async def refusal(verifier: Judge, token: str) -> str:
    with pytest.raises(InvalidToken) as refused:
        await verifier.verify(token)
    return refused.value.code


async def test_a_good_token_says_who_it_is(site: Site, verifier: Judge) -> None:
    answer = await signed_up(site.world)
    verified = await verifier.verify(answer["session"]["access_token"])
    assert (verified.user_id, verified.session_id) == (answer["user"]["id"], answer["session"]["id"])
    assert (verified.tenant_id, verified.role, verified.email) == (site.world.tenant_id, "member", "v@example.com")
    assert (verified.is_impersonated, verified.actor, verified.read_only) == (False, None, False)
    assert verified.amr == ("pwd",)
    assert verified.expires_at > verified.issued_at
    assert verified.expires_at.tzinfo is not None


async def test_an_impersonation_says_who_is_behind_it(site: Site, verifier: Judge) -> None:
    user_id = (await signed_up(site.world))["user"]["id"]
    looking = await verifier.verify(await impersonated(site.world, user_id, read_only=True))
    assert (looking.user_id, looking.is_impersonated, looking.read_only) == (user_id, True, True)
    assert looking.actor == site.world.secret_key_id
    acting = await verifier.verify(await impersonated(site.world, user_id))
    assert (acting.is_impersonated, acting.read_only) == (True, False)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"iss": "https://elsewhere.example"}, "invalid_token"),
        ({"aud": "tnt_other"}, "invalid_token"),
        ({"tenant_id": "tnt_other"}, "invalid_token"),
        ({"exp": 1_000_000_000}, "token_expired"),
    ],
)
async def test_what_is_said_wrongly_is_refused(site: Site, verifier: Judge, changed: Any, code: str) -> None:
    claims = claims_in((await signed_up(site.world))["session"]["access_token"])
    assert (await verifier.verify(await signed(site.world, claims))).user_id == claims.sub
    assert await refusal(verifier, await signed(site.world, claims, **changed)) == code


async def test_tokens_for_others_are_refused(site: Site, verifier: Judge) -> None:
    other = await another_tenant(site.world)
    assert await refusal(verifier, (await signed_up(other))["session"]["access_token"]) == "invalid_token"
    claims = claims_in((await signed_up(site.world))["session"]["access_token"])
    enrolling = await signed(site.world, claims, aud=enrollment_audience(site.world.tenant_id))
    assert await refusal(verifier, enrolling) == "invalid_token"


async def test_what_our_key_did_not_sign_is_refused(site: Site, verifier: Judge) -> None:
    token = (await signed_up(site.world))["session"]["access_token"]
    header, payload, signature = token.split(".")
    kid = jwt.get_unverified_header(token)["kid"]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    raised = base64.urlsafe_b64encode(json.dumps(claims | {"role": "owner"}).encode()).rstrip(b"=").decode()
    public = (await site.world.client.get(KEY_SET)).json()["keys"][0]["x"]
    forged = [
        f"{header}.{raised}.{signature}",
        f"{header}.{payload}.{'A' * len(signature)}",
        f"{header}.{payload}.",
        jwt.encode(claims, None, algorithm="none", headers={"kid": kid}),
        jwt.encode(claims, public * 2, algorithm="HS256", headers={"kid": kid}),
        jwt.encode(claims, Ed25519PrivateKey.generate(), algorithm="EdDSA", headers={"kid": kid}),
        jwt.encode(claims, Ed25519PrivateKey.generate(), algorithm="EdDSA"),
        jwt.encode({"sub": "x"}, Ed25519PrivateKey.generate(), algorithm="EdDSA", headers={"kid": kid}),
        "",
        "a.b.c",
        "ä.ö.ü",
        token + "x" * 9000,
    ]
    for each in forged:
        assert await refusal(verifier, each) == "invalid_token", each[:100]
    assert (await verifier.verify(token)).role == "member"


async def test_an_unknown_key_has_the_set_fetched_once_a_minute(site: Site, verifier: Judge) -> None:
    token = (await signed_up(site.world))["session"]["access_token"]
    site.recorder.seen.clear()
    await asyncio.gather(*(verifier.verify(token) for _ in range(5)))
    assert [seen.path for seen in site.recorder.seen] == [KEY_SET]
    unknown = jwt.encode({}, Ed25519PrivateKey.generate(), algorithm="EdDSA", headers={"kid": "key_unknown"})
    for _ in range(5):
        assert await refusal(verifier, unknown) == "invalid_token"
    assert [seen.path for seen in site.recorder.seen] == [KEY_SET, KEY_SET]
    assert (await verifier.verify(token)).role == "member"


@pytest.mark.parametrize("kind", KINDS)
async def test_without_the_keys_nothing_can_be_said(site: Site, kind: str) -> None:
    token = (await signed_up(site.world))["session"]["access_token"]
    nowhere = options_of(site, base_url="http://127.0.0.1:1", revocations=False)
    async with judge(kind, **nowhere) as verifier:
        for _ in range(2):
            with pytest.raises(VerificationUnavailable):
                await verifier.verify(token)


def test_to_follow_the_feed_takes_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HELLOJOHN_SECRET_KEY", raising=False)
    for made in (Verifier, AsyncVerifier):
        with pytest.raises(MissingCredential, match="revocations:read"):
            made(tenant_id="tnt_1")
    with Verifier(tenant_id="tnt_1", secret_key="sk_test_secret") as verifier:
        assert "secret" not in repr(verifier) + repr(verifier._settings)


def test_when_the_set_is_fetched() -> None:
    raw = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    key = JsonWebKey(kid="a", x=base64.urlsafe_b64encode(raw).rstrip(b"=").decode())
    rsa = JsonWebKey(kid="r", x="", kty="RSA")  # type: ignore[arg-type] - of a later server
    keys, start = Keys(), 1_000.0
    assert keys.needs_fetch("a", start)
    assert not keys.is_usable(start)
    keys.note_failed(start)
    assert [keys.needs_fetch("a", start + later) for later in (1, 4.9, 5)] == [False, False, True]
    keys.note_fetched(JsonWebKeySet(keys=[key, rsa]), "a", start)
    assert (keys.get("a") is None, keys.get("r")) == (False, None)
    assert [keys.needs_fetch("a", start + later) for later in (0, 899, 900)] == [False, False, True]
    assert keys.needs_fetch("b", start + 1)
    keys.note_fetched(JsonWebKeySet(keys=[key]), "b", start + 1)
    assert [keys.needs_fetch("b", start + later) for later in (2, 60, 61)] == [False, False, True]
    assert [keys.is_usable(start + later) for later in (3600, 3601)] == [True, False]
