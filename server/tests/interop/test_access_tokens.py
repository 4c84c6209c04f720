"""Access tokens of a running server verify from the published key set alone, and nothing else does."""

import base64
import json
import re
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.interop.clients import HERE, NODE, Client, Refused
from tests.interop.conftest import Site
from tests.support import PUBLIC_URL

DOCUMENT: Final = Path(__file__).resolve().parents[3] / "docs" / "sign-in.md"


def segment(value: Any) -> str:
    """Return a part of a JSON Web Token."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.fixture
def verifiers(site: Site) -> Iterator[list[Client]]:
    """PyJWT and jose."""
    with site.clients() as both:
        yield both


def test_both_libraries_read_every_documented_claim(site: Site, verifiers: list[Client]) -> None:
    alice = site.sign_up("Alice@Example.com")
    user, session = alice.answer["user"], alice.answer["session"]
    began = datetime.fromisoformat(user["created_at"]).timestamp()
    expires = datetime.fromisoformat(session["access_token_expires_at"]).timestamp()
    assert expires - int(began) == 900
    [kid] = site.key_ids()
    for verifier in verifiers:
        verified = verifier.verify(alice.access)
        assert re.fullmatch(r"tok_[0-9A-Z]{26}", verified.claims.pop("jti"))
        assert verified.claims == {
            "iss": PUBLIC_URL,
            "aud": site.tenant_id,
            "sub": user["id"],
            "sid": session["id"],
            "tenant_id": site.tenant_id,
            "role": "member",
            "email": "Alice@Example.com",
            "amr": ["pwd"],
            "gen": 1,
            "iat": int(began),
            "exp": int(expires),
        }
        assert verified.header == {"alg": "EdDSA", "kid": kid, "typ": "JWT"}


def test_the_next_token_says_what_changed(site: Site, verifiers: list[Client]) -> None:
    alice = site.sign_up("changing@example.com")
    grants = ("--scope", "*", "--scope", "admins:manage")
    secret = site.hj("keys", "create", "--tenant", site.tenant_id, "--name", "backend", *grants)["key"]
    path = f"/v1/users/{alice.answer['user']['id']}"
    change = {"role": "admin", "email": "changed@example.com"}
    changed = site.server.patch(path, headers={"Authorization": f"Bearer {secret}"}, json=change)
    assert changed.status_code == 200, changed.text
    assert alice.asks_me() == (401, "token_stale")
    fresh = alice.refreshed()
    assert fresh.asks_me() == (200, "")
    for verifier in verifiers:
        before, after = (verifier.verify(one.access).claims for one in (alice, fresh))
        assert (before["role"], before["email"], before["gen"]) == ("member", "changing@example.com", 1)
        assert (after["role"], after["email"], after["gen"]) == ("admin", "changed@example.com", 2)
        assert (after["sub"], after["sid"]) == (before["sub"], before["sid"])
        assert after["jti"] != before["jti"]


def test_what_is_published_is_public_keys_that_may_be_kept(site: Site) -> None:
    answer = site.server.get("/.well-known/jwks.json")
    assert answer.headers["Cache-Control"] == "public, max-age=900"
    [key] = answer.json()["keys"]
    assert key.keys() == {"kty", "crv", "alg", "use", "kid", "x"}
    assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("OKP", "Ed25519", "EdDSA", "sig")
    assert len(base64.urlsafe_b64decode(key["x"] + "=")) == 32


def test_both_libraries_and_we_refuse_what_we_did_not_sign(site: Site, verifiers: list[Client]) -> None:
    alice = site.sign_up("copied@example.com")
    header, payload, signature = alice.access.split(".")
    claims = jwt.decode(alice.access, options={"verify_signature": False})
    [published] = site.server.get("/.well-known/jwks.json").json()["keys"]
    raw = base64.urlsafe_b64decode(published["x"] + "=")
    foreign, kid = Ed25519PrivateKey.generate(), {"kid": published["kid"]}
    symmetric = jwt.PyJWS(algorithms=["HS256"])
    forged = {
        "promoted": f"{header}.{segment({**claims, 'role': 'super_admin'})}.{signature}",
        "unsigned": f"{segment({'alg': 'none', **kid})}.{payload}.",
        "signed with the public key": symmetric.encode(json.dumps(claims).encode(), raw, "HS256", kid),
        "signed by another": jwt.encode(claims, foreign, "EdDSA", kid),
        "signed by an unknown key": jwt.encode(claims, foreign, "EdDSA", {"kid": "key_x"}),
    }
    for name, token in forged.items():
        for verifier in verifiers:
            with pytest.raises(Refused):
                print(name, verifier.verify(token))
        answer = site.server.get("/v1/auth/me", headers={"Authorization": f"Bearer {token}"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_token")
    for verifier in verifiers:
        assert verifier.verify(alice.access).claims == claims


@pytest.mark.parametrize(("issuer", "audience"), [("https://id.example.com", None), (PUBLIC_URL, "tnt_other")])
def test_another_issuer_or_tenant_is_refused(site: Site, issuer: str, audience: str | None) -> None:
    alice = site.sign_up(f"{audience}@example.com")
    with site.clients(issuer, audience) as both:
        for verifier in both:
            with pytest.raises(Refused, match=r"^(Invalid(Issuer|Audience)Error|ERR_JWT_CLAIM_VALIDATION_FAILED)$"):
                verifier.verify(alice.access)


def documented(language: str, site: Site) -> str:
    """Return the only example in a language of the page on signing in, with this site's addresses and tenant."""
    text = DOCUMENT.read_text(encoding="utf-8")
    [example] = re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    for invented, ours in (
        ('"https://id.example.com/.well-known', f'"{site.process.url}/.well-known'),
        ('"https://id.example.com"', f'"{PUBLIC_URL}"'),
        ('"tnt_01HZZZZZZZZZZZZZZZZZZZZZZZ"', f'"{site.tenant_id}"'),
    ):
        assert example.count(invented) == 1
        example = example.replace(invented, ours)
    return str(example)


def test_the_documented_example_for_python_runs(site: Site) -> None:
    alice = site.sign_up("python@example.com")
    names: dict[str, Any] = {}
    exec(documented("python", site), names)
    assert names["verify"](alice.access)["sub"] == alice.answer["user"]["id"]
    with pytest.raises(jwt.PyJWTError):
        names["verify"](alice.access[:-5])


def test_the_documented_example_for_javascript_runs(site: Site) -> None:
    alice = site.sign_up("javascript@example.com")
    program = documented("js", site) + "console.log((await verify(process.argv[1])).sub);"
    command = [str(NODE), "--input-type=module", "--eval", program]
    good, bad = [
        subprocess.run([*command, token], cwd=HERE, capture_output=True, text=True, check=False, timeout=60)
        for token in (alice.access, f"{alice.access[:-6]}AAAAAA")
    ]
    assert good.stdout.strip() == alice.answer["user"]["id"], good.stderr
    assert (bad.returncode, "ERR_JWS_SIGNATURE_VERIFICATION_FAILED" in bad.stderr) == (1, True)
