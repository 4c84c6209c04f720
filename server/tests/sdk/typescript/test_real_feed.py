"""The verifier beside a real server: what is stopped is refused, and a server that stands still is noticed."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

import pytest

from tests.interop.conftest import Site, running_site
from tests.sdk.typescript.drivers import Program, running
from tests.sdk.typescript.packages import Application
from tests.support import PUBLIC_URL

DEADLINE_SECONDS: Final = 30
ALL: Final = ("--scope", "*", "--scope", "admins:manage")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server process with a tenant."""
    with running_site(tmp_path_factory.mktemp("site")) as serving:
        yield serving


@pytest.fixture(scope="module")
def secret(site: Site) -> str:
    """A key that may do everything."""
    return str(site.hj("keys", "create", "--tenant", site.tenant_id, "--name", "backend", *ALL)["key"])


@pytest.fixture
async def verifier(application: Application, site: Site, secret: str) -> AsyncIterator[Program]:
    """A program with a verifier that never asks the server about a token."""
    options = {"tenantId": site.tenant_id, "issuer": PUBLIC_URL, "baseURL": site.process.url, "secretKey": secret}
    async with running(application, "verifier.ts", json.dumps({**options, "onStale": "fail_open"})) as program:
        assert await program.ask("start") is True
        yield program


def act(site: Site, key: str, method: str, path: str, body: Any = None) -> Any:
    answer = site.server.request(method, path, json=body, headers={"Authorization": f"Bearer {key}"})
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


async def becomes(program: Program, line: str, wanted: Any) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while await program.ask(line) != wanted:  # noqa: ASYNC110 - it is another process that is waited for
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("act_of", ["disable", "ban", "revoke-session", "delete", "new-role"])
async def test_what_is_stopped_is_refused(site: Site, secret: str, verifier: Program, act_of: str) -> None:
    alice, bob = site.sign_up(f"alice-{act_of}@example.com"), site.sign_up(f"bob-{act_of}@example.com")
    user, session = alice.answer["user"]["id"], alice.answer["session"]["id"]
    said = await verifier.ask(alice.access)
    assert (said["user_id"], said["session_id"], said["email"]) == (user, session, f"alice-{act_of}@example.com")
    method, path, body = {
        "disable": ("PATCH", f"/v1/users/{user}", {"disabled": True}),
        "ban": ("POST", f"/v1/users/{user}/ban", {"reason": "spam"}),
        "revoke-session": ("DELETE", f"/v1/sessions/{session}", None),
        "delete": ("DELETE", f"/v1/users/{user}", None),
        "new-role": ("PATCH", f"/v1/users/{user}", {"role": "admin"}),
    }[act_of]

    act(site, secret, method, path, body)

    await becomes(verifier, alice.access, "token_revoked")
    assert (await verifier.ask(bob.access))["user_id"] == bob.answer["user"]["id"]


async def test_an_impersonation_ends_with_its_key(site: Site, secret: str, verifier: Program) -> None:
    wanted = {"name": "support", "type": "secret", "scopes": ["users:impersonate"]}
    support = act(site, secret, "POST", "/v1/api-keys", wanted)
    user = site.sign_up("impersonated@example.com").answer["user"]["id"]
    begun = act(site, support["key"], "POST", "/v1/admin/users/impersonate", {"user_id": user, "reason": "A ticket"})
    said = await verifier.ask(begun["access_token"])
    assert (said["user_id"], said["is_impersonated"], said["actor"]) == (user, True, support["id"])

    act(site, secret, "DELETE", f"/v1/api-keys/{support['id']}")

    await becomes(verifier, begun["access_token"], "token_revoked")


async def test_a_server_that_stands_still_is_noticed(site: Site, verifier: Program) -> None:
    assert await verifier.ask("stale") is False
    site.process.process.send_signal(signal.SIGSTOP)
    try:
        await becomes(verifier, "stale", True)
    finally:
        site.process.process.send_signal(signal.SIGCONT)
    await becomes(verifier, "stale", False)


async def test_a_key_that_was_withdrawn_signs_nothing(site: Site, verifier: Program) -> None:
    alice = site.sign_up("before@example.com")
    assert (await verifier.ask(alice.access))["user_id"] == alice.answer["user"]["id"]

    site.hj("signing-keys", "rotate", "--compromised")

    await becomes(verifier, alice.access, "token_revoked")
    assert len(site.key_ids()) == 1  # the server has read what the command did to the store
    bob = site.sign_up("after@example.com")
    assert (await verifier.ask(bob.access))["user_id"] == bob.answer["user"]["id"]


async def test_a_suspended_tenant_is_shut(site: Site, verifier: Program) -> None:
    alice = site.sign_up("tenant@example.com")
    assert (await verifier.ask(alice.access))["user_id"] == alice.answer["user"]["id"]
    master = site.hj("keys", "create", "--type", "master", "--name", "control")["key"]

    act(site, master, "POST", f"/v1/tenants/{site.tenant_id}/suspend")

    await becomes(verifier, alice.access, "token_revoked")
