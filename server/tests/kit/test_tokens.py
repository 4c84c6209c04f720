"""Access tokens: what is signed, and everything that is no token of ours."""

import base64
import json
from typing import Any

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from hellojohn_server.kit.tokens import AccessClaims, ActClaim, InvalidAccessToken, kid_of, sign_token, verify_token

ISSUER = "https://id.example.com"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
CLAIMS = AccessClaims(
    iss=ISSUER,
    aud="tnt_1",
    sub="usr_1",
    sid="ses_1",
    tenant_id="tnt_1",
    role="member",
    email="a@example.com",
    amr=("pwd",),
    gen=3,
    iat=1_790_000_000,
    exp=1_790_000_900,
    jti="j1",
)


def parts_of(token: str) -> list[dict[str, Any]]:
    return [json.loads(base64.urlsafe_b64decode(part + "==")) for part in token.split(".")[:2]]


def test_a_token_says_what_is_documented() -> None:
    token = sign_token(CLAIMS, "key_1", KEY)
    header, payload = parts_of(token)
    assert header == {"alg": "EdDSA", "kid": "key_1", "typ": "JWT"}
    assert payload == {
        "iss": ISSUER,
        "aud": "tnt_1",
        "sub": "usr_1",
        "sid": "ses_1",
        "tenant_id": "tnt_1",
        "role": "member",
        "email": "a@example.com",
        "amr": ["pwd"],
        "gen": 3,
        "iat": 1_790_000_000,
        "exp": 1_790_000_900,
        "jti": "j1",
    }
    assert kid_of(token) == "key_1"
    assert verify_token(token, KEY.public_key(), ISSUER) == CLAIMS


def test_an_impersonation_names_who_acts() -> None:
    claims = msgspec.structs.replace(CLAIMS, act=ActClaim("key_9"), impersonated=True, read_only=True)
    token = sign_token(claims, "key_1", KEY)
    payload = parts_of(token)[1]
    assert (payload["act"], payload["impersonated"], payload["read_only"]) == ({"sub": "key_9"}, True, True)
    assert verify_token(token, KEY.public_key(), ISSUER) == claims


def signed_otherwise() -> list[tuple[str, str]]:
    """Return tokens that are not to pass, each with why."""
    good = sign_token(CLAIMS, "key_1", KEY)
    head, payload, signature = good.split(".")
    claims = parts_of(good)[1]
    secret = KEY.public_key().public_bytes_raw()
    none = base64.urlsafe_b64encode(b'{"alg":"none","kid":"key_1"}').rstrip(b"=").decode()
    other = msgspec.structs.replace(CLAIMS, iss="https://other.example.com")
    foreign = msgspec.structs.replace(CLAIMS, aud="tnt_2")
    return [
        ("another key", sign_token(CLAIMS, "key_1", Ed25519PrivateKey.generate())),
        ("another issuer", sign_token(other, "key_1", KEY)),
        ("another audience than the tenant", sign_token(foreign, "key_1", KEY)),
        ("no signature", f"{none}.{payload}."),
        ("the public key as a shared secret", jwt.encode(claims, secret, "HS256", headers={"kid": "key_1"})),
        ("an altered payload", f"{head}.{payload[:-2]}AA.{signature}"),
        ("an altered signature", f"{head}.{payload}.{'A' * len(signature)}"),
        ("a claim that is missing", jwt.encode({k: v for k, v in claims.items() if k != "gen"}, KEY, "EdDSA")),
        ("a claim of another type", jwt.encode({**claims, "gen": "3"}, KEY, "EdDSA")),
        ("no object", jwt.PyJWS().encode(b"[]", KEY, "EdDSA")),
    ]


@pytest.mark.parametrize(("why", "token"), signed_otherwise(), ids=[why for why, _ in signed_otherwise()])
def test_what_is_not_ours_is_refused(why: str, token: str) -> None:
    with pytest.raises(InvalidAccessToken):
        verify_token(token, KEY.public_key(), ISSUER)


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_any_text_is_refused_and_nothing_else_is_raised(text: str) -> None:
    assert kid_of(text) is None
    with pytest.raises(InvalidAccessToken):
        verify_token(text, KEY.public_key(), ISSUER)


def test_only_our_algorithm_names_a_key() -> None:
    assert kid_of(jwt.encode({}, "s" * 32, "HS256", headers={"kid": "key_1"})) is None
    assert kid_of(jwt.encode({}, KEY, "EdDSA")) is None
    assert kid_of("eyJ" + "A" * 5000) is None
