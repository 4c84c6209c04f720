"""The verifier takes good tokens of its tenant and nothing else, and refuses within moments what the feed names."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.sdk.typescript.drivers import Program, running
from tests.sdk.typescript.issuer import HOUR, ISSUER, TENANT, Issuer, issuing, revocation
from tests.sdk.typescript.packages import Application

DEADLINE_SECONDS: Final = 20
STALE_AFTER: Final = 1000
FEED: Final = "/v1/revocations"
STREAM: Final = "/v1/revocations (stream)"
REMOTE: Final = "/v1/sessions/verify"
KEYS: Final = "/.well-known/jwks.json"


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    """A server whose tokens are to be verified."""
    async with issuing() as serving:
        yield serving


@asynccontextmanager
async def verifying(application: Application, issuer: Issuer, **options: Any) -> AsyncGenerator[Program]:
    """Have a program with a verifier that has read the feed."""
    server = {"baseURL": issuer.url, "secretKey": "sk_test_x"}
    usual = {"tenantId": TENANT, "issuer": ISSUER, "staleAfter": STALE_AFTER, **server}
    async with running(application, "verifier.ts", json.dumps(usual | options)) as program:
        await program.ask("start")
        yield program


async def becomes(program: Program, line: str, wanted: Any) -> None:
    """Ask until the answer is the one that is wanted."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while await program.ask(line) != wanted:  # noqa: ASYNC110 - it is another process that is waited for
            await asyncio.sleep(0.01)


async def test_a_good_token_says_who_it_is(application: Application, issuer: Issuer) -> None:
    own = issuer.token(org_id="org_1", org_role="owner")
    foreign = issuer.token(act={"sub": "key_9"}, impersonated=True, read_only=True)
    async with verifying(application, issuer) as program:
        mine, theirs = await program.ask(own), await program.ask(foreign)
    claims = mine.pop("claims")
    assert claims == jwt.decode(own, options={"verify_signature": False})
    assert mine == {
        "user_id": "usr_1",
        "session_id": "ses_1",
        "tenant_id": TENANT,
        "role": "member",
        "email": "alice@example.com",
        "amr": ["pwd"],
        "org_id": "org_1",
        "org_role": "owner",
        "is_impersonated": False,
        "actor": None,
        "read_only": False,
        "issued_at": claims["iat"],
        "expires_at": claims["exp"],
    }
    assert [theirs[name] for name in ("is_impersonated", "actor", "read_only")] == [True, "key_9", True]
    assert (issuer.count(KEYS), issuer.count(REMOTE)) == (1, 0)


async def test_nothing_else_is_taken(application: Application, issuer: Issuer) -> None:
    good = issuer.token()
    header, payload, signature = good.split(".")
    now = int(time.time())
    refused = {
        "another issuer": issuer.token(iss="https://id.example.org"),
        "another audience": issuer.token(aud="tnt_other"),
        "only enrols": issuer.token(aud=f"{TENANT}:mfa_enrollment"),
        "several audiences": issuer.token(aud=[TENANT]),
        "another tenant": issuer.token(tenant_id="tnt_other"),
        "no end": issuer.token(exp=None),
        "an end that is no number": issuer.token(exp=str(now + 900)),
        "no session": issuer.token(sid=None),
        "signed by another": issuer.token(key=Ed25519PrivateKey.generate()),
        "changed": f"{header}.{payload[:-2]}AA.{signature}",
        "unsigned": f"{header}.{payload}.",
        "two parts": f"{header}.{payload}",
        "four parts": f"{good}.{signature}",
        "of another algorithm": jwt.encode({"sub": "usr_1"}, "secret" * 8, "HS256", {"kid": "key_1"}),
        "without a key": jwt.encode({"sub": "usr_1"}, issuer.keys["key_1"], "EdDSA"),
        "too long": issuer.token(email="a" * 4096),
        "none": "x",
        "no letters": "é.é.é",
    }
    async with verifying(application, issuer) as program:
        said = {name: await program.ask(token) for name, token in refused.items()}
        assert said == dict.fromkeys(refused, "invalid_token")
        assert await program.ask(issuer.token(exp=now - 1)) == "token_expired"
        assert (await program.ask(good))["user_id"] == "usr_1"


async def test_an_unknown_key_is_looked_for_once_a_minute(application: Application, issuer: Issuer) -> None:
    async with verifying(application, issuer) as program:
        await program.ask(issuer.token())
        issuer.keys["key_2"] = Ed25519PrivateKey.generate()
        assert (await program.ask(issuer.token("key_2")))["user_id"] == "usr_1"
        assert issuer.count(KEYS) == 2
        foreign = Ed25519PrivateKey.generate()
        for number in range(20):
            assert await program.ask(issuer.token(f"key_x{number}", foreign)) == "invalid_token"
        assert issuer.count(KEYS) == 2


ENTRIES: Final[list[tuple[dict[str, Any], dict[str, Any], Any]]] = [
    (revocation("session", session_id="ses_1"), {}, {"sid": "ses_2"}),
    (revocation("user", user_id="usr_1", gen_below=4), {}, {"gen": 4}),
    (revocation("signing_key", kid="key_1"), {}, None),
    (revocation("tenant", tenant_id=TENANT), {"iat": int(time.time()) - 5}, {"iat": int(time.time()) + HOUR}),
]
TYPES: Final = [entry["type"] for entry, _, _ in ENTRIES]


@pytest.mark.parametrize(("entry", "revoked", "other"), ENTRIES, ids=TYPES)
@pytest.mark.parametrize("is_live", [False, True])
async def test_what_the_feed_names_is_refused(
    application: Application, issuer: Issuer, entry: Any, revoked: Any, other: Any, is_live: bool
) -> None:
    token = issuer.token(**revoked)
    if not is_live:
        issuer.entries += [revocation("session", session_id=f"ses_{number}") for number in range(10, 15)]
        issuer.entries.append(entry)
    async with verifying(application, issuer) as program:
        if is_live:
            assert (await program.ask(token))["user_id"] == "usr_1"
            issuer.entries.append(entry)
            await becomes(program, token, "token_revoked")
        assert await program.ask(token) == "token_revoked"
        if other is not None:
            assert (await program.ask(issuer.token(**other)))["user_id"] == "usr_1"
        assert issuer.count(REMOTE) == 0


async def test_a_session_may_end_later(application: Application, issuer: Issuer) -> None:
    issuer.entries += [
        revocation("session", session_id="ses_1", at=600),
        revocation("session", session_id="ses_2", at=60),
    ]
    async with verifying(application, issuer) as program:
        assert (await program.ask(issuer.token()))["user_id"] == "usr_1"
        assert await program.ask(issuer.token(sid="ses_2")) == "token_revoked"  # clocks differ


async def test_it_goes_on_from_where_it_was(application: Application, issuer: Issuer) -> None:
    issuer.entries.append(revocation("session", session_id="ses_1"))
    async with verifying(application, issuer, staleAfter=5000) as program:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while issuer.count(STREAM) == 0:  # noqa: ASYNC110 - the same
                await asyncio.sleep(0.01)
        issuer.is_down = True
        issuer.cut()
        issuer.entries += [revocation("session", session_id=f"ses_{number}") for number in (2, 3, 4)]
        issuer.is_down = False
        await becomes(program, issuer.token(sid="ses_4"), "token_revoked")
        assert [await program.ask(issuer.token(sid=f"ses_{number}")) for number in (1, 2, 3)] == ["token_revoked"] * 3
        assert issuer.count(REMOTE) == 0
    assert [since for path, since in issuer.asked if path == FEED and since is None] == [None]


async def test_a_silent_feed_is_noticed_and_the_api_asked(application: Application, issuer: Issuer) -> None:
    async with verifying(application, issuer) as program:
        assert await program.ask("stale") is False
        issuer.is_silent = True
        await becomes(program, "stale", True)
        assert (await program.ask(issuer.token()))["user_id"] == "usr_1"
        issuer.valid = {"valid": False, "reason": "session_revoked"}
        assert await program.ask(issuer.token()) == "session_revoked"
        assert issuer.count(REMOTE) == 2
        issuer.is_silent = False
        await becomes(program, "stale", False)
        assert (await program.ask(issuer.token()))["user_id"] == "usr_1"
        assert issuer.count(REMOTE) == 2


@pytest.mark.parametrize(
    ("on_stale", "said"), [("check_remote", "unavailable"), ("fail_closed", "unavailable"), ("fail_open", "usr_1")]
)
async def test_a_feed_that_is_gone_is_handled_as_set(
    application: Application, issuer: Issuer, on_stale: str, said: str
) -> None:
    issuer.entries.append(revocation("session", session_id="ses_2"))
    async with verifying(application, issuer, onStale=on_stale) as program:
        await program.ask(issuer.token())
        issuer.is_down = True
        issuer.cut()
        await becomes(program, "stale", True)
        answer = await program.ask(issuer.token())
        assert (answer if isinstance(answer, str) else answer["user_id"]) == said
        assert await program.ask(issuer.token(sid="ses_2")) == "token_revoked"
        assert await program.ask(issuer.token(exp=1)) == "token_expired"
        assert "ApiConnectionError" in (await program.ask("errors"))[0]


async def test_what_is_kept_is_bounded_and_more_counts_as_stale(application: Application, issuer: Issuer) -> None:
    issuer.entries += [revocation("session", session_id=f"ses_{number}", forget=3) for number in range(2, 22)]
    async with verifying(application, issuer, maxEntries=10) as program:
        assert await program.ask("stale") is True
        assert (await program.ask(issuer.token()))["user_id"] == "usr_1"
        assert issuer.count(REMOTE) == 1
        await becomes(program, "stale", False)  # what had to be left out can be forgotten now
        issuer.entries += [revocation("session", session_id=f"ses_{number}") for number in range(22, 32)]
        await becomes(program, issuer.token(sid="ses_31"), "token_revoked")
        assert await program.ask("stale") is False


async def test_before_the_feed_was_read_it_is_stale(application: Application, issuer: Issuer) -> None:
    options = {"tenantId": TENANT, "issuer": ISSUER, "baseURL": issuer.url, "secretKey": "sk_test_x"}
    async with running(application, "verifier.ts", json.dumps(options)) as program:
        assert await program.ask("stale") is True
        await program.ask(issuer.token())
        await becomes(program, "stale", False)


async def test_a_suspended_tenant_has_no_good_tokens(application: Application, issuer: Issuer) -> None:
    async with verifying(application, issuer, onStale="fail_open") as program:
        assert (await program.ask(issuer.token()))["user_id"] == "usr_1"
        issuer.refusal = "tenant_suspended"
        issuer.cut()
        await becomes(program, issuer.token(), "token_revoked")
        issuer.refusal = None
        async with asyncio.timeout(DEADLINE_SECONDS):
            while await program.ask(issuer.token()) == "token_revoked":  # noqa: ASYNC110 - the same
                await asyncio.sleep(0.01)
        assert (await program.ask(issuer.token()))["user_id"] == "usr_1"


async def test_a_cursor_that_is_taken_no_more_begins_again(application: Application, issuer: Issuer) -> None:
    async with verifying(application, issuer) as program:
        issuer.refusal = "invalid_cursor"
        issuer.cut()
        async with asyncio.timeout(DEADLINE_SECONDS):
            while [since for path, since in issuer.asked if path == FEED].count(None) < 2:  # noqa: ASYNC110 - the same
                await asyncio.sleep(0.01)
        issuer.entries.append(revocation("session", session_id="ses_1"))
        issuer.refusal = None
        await becomes(program, issuer.token(), "token_revoked")


async def test_it_lets_the_program_end(application: Application, issuer: Issuer) -> None:
    async with verifying(application, issuer) as program:
        await program.ask(issuer.token())
        assert await program.ask("close") == "closed"
        assert await program.end() == 0


async def test_without_the_feed_no_key_is_needed(application: Application, issuer: Issuer) -> None:
    async with verifying(application, issuer, revocations=False, secretKey=None) as program:
        assert await program.ask("stale") is False
        assert (await program.ask(issuer.token()))["user_id"] == "usr_1"
    assert {path for path, _ in issuer.asked} == {KEYS}
