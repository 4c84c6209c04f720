"""Passkeys of a real browser against a running server, called from a page of another origin."""

import base64
import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import httpx
import jwt
import pytest

from tests.browser.chromium import BrowserFailed, Page, chromium
from tests.cli.conftest import Place
from tests.cli.test_stop_access import made
from tests.support import server_process

BROWSER: Final = os.environ.get("CHROMIUM", "")
pytestmark = pytest.mark.skipif(not BROWSER, reason="needs Chromium: make browser runs it")

PASSWORD: Final = "correct horse battery"
# As docs/mfa.md shows it.
SCRIPT: Final = """
const post = async (path, body, key) => {
  const headers = { Authorization: `Bearer ${key}`, ...(body ? { "Content-Type": "application/json" } : {}) };
  const answer = await fetch(given.api + path, { method: "POST", headers, body: body && JSON.stringify(body) });
  return [answer.status, await answer.json()];
};
const enrol = async () => {
  const [, begun] = await post("/v1/auth/mfa/factors", { type: "webauthn" }, given.access);
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(begun.public_key);
  const credential = await navigator.credentials.create({ publicKey });
  return post(`/v1/auth/mfa/factors/${begun.id}/confirm`, { credential: credential.toJSON() }, given.access);
};
const answered = async () => {
  const [, asked] = await post("/v1/auth/passkeys/options", undefined, given.publishable);
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(asked.public_key);
  const credential = await navigator.credentials.get({ publicKey });
  return { challenge_id: asked.challenge_id, credential: credential.toJSON() };
};
const signIn = async () => {
  const body = await answered();
  return [await post("/v1/auth/passkeys/verify", body, given.publishable),
          await post("/v1/auth/passkeys/verify", body, given.publishable)];
};
const renew = async () => post("/v1/auth/mfa/backup-codes/generate", { passkey: await answered() }, given.access);
"""


class Blank(BaseHTTPRequestHandler):
    """Answers every request with an empty page that has a title."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>Application</title>")

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


@pytest.fixture
def origin() -> Iterator[str]:
    """The origin of the application's pages."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Blank) as pages:
        threading.Thread(target=pages.serve_forever, daemon=True).start()
        yield f"http://localhost:{pages.server_port}"
        pages.shutdown()


def run(page: Page, call: str, **given: str) -> Any:
    """Have the page do something with the server."""
    return page.run(f"(async () => {{ const given = {json.dumps(given)}; {SCRIPT} return await {call}(); }})()")


def test_a_browser_enrols_a_passkey_and_signs_in_with_it_alone(embedded: Place, origin: str, tmp_path: Path) -> None:
    with (
        server_process(embedded.directory, embedded.environ) as server,
        chromium(BROWSER, tmp_path / "profile") as browser,
    ):
        tenant_id = made(embedded, "tenants", "create", "--name", "Acme")["id"]
        key = ("keys", "create", "--tenant", tenant_id, "--name", "test")
        secret = made(embedded, *key, "--scope", "*", "--scope", "admins:manage")["key"]
        publishable = made(embedded, *key, "--type", "publishable")["key"]
        section = {
            "mfa": {"webauthn": {"rp_id": "localhost", "origins": [origin]}},
            "cors": {"allowed_origins": [origin]},
        }
        admin = {"Authorization": f"Bearer {secret}"}
        httpx.patch(f"{server.url}/v1/admin/config", json=section, headers=admin).raise_for_status()
        body = {"email": "alice@example.com", "password": PASSWORD}
        public = {"Authorization": f"Bearer {publishable}"}
        signed_up = httpx.post(f"{server.url}/v1/auth/sign-up", json=body, headers=public).json()
        given = {"api": server.url, "publishable": publishable, "access": signed_up["session"]["access_token"]}
        page = browser.open(origin)
        authenticator = page.add_authenticator(hasResidentKey=True, hasUserVerification=True, isUserVerified=True)

        status, confirmed = run(page, "enrol", **given)
        assert (status, confirmed["factor"]["type"]) == (200, "webauthn"), confirmed
        [credential] = page.call("WebAuthn.getCredentials", authenticatorId=authenticator)["credentials"]
        assert credential["isResidentCredential"]
        assert base64.b64decode(credential["userHandle"]).decode() == signed_up["user"]["id"]

        (status, signed_in), (again, refused) = run(page, "signIn", **given)
        assert (status, again, refused["error"]["code"]) == (200, 401, "invalid_passkey")
        given["access"] = signed_in["session"]["access_token"]
        claims = jwt.decode(given["access"], options={"verify_signature": False})
        assert (claims["sub"], claims["amr"]) == (signed_up["user"]["id"], ["hwk", "user", "mfa"])

        status, renewed = run(page, "renew", **given)
        assert status == 200, renewed
        page.call("WebAuthn.setUserVerified", authenticatorId=authenticator, isUserVerified=False)
        with pytest.raises(BrowserFailed, match="NotAllowedError"):
            run(page, "signIn", **given)
