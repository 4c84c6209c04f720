"""A tenant with a publishable key, and people who sign up and in through the app, as a browser would."""

import threading
from typing import Any

import httpx
import msgspec

from hellojohn_server.features.audit.schemas import AuditEntryBody, ListAuditQuery
from hellojohn_server.features.keys.schemas import TenantKeyType
from hellojohn_server.kit.passwords import PasswordHasher
from tests.support import RunningApp

PASSWORD = "correct horse battery"


class SignedIn(msgspec.Struct, frozen=True):
    """What a client keeps of a sign-in."""

    user_id: str
    session_id: str
    access: str
    refresh: str


class Front:
    """A tenant's front end and back end: `call` is as a user, `admin` with a secret key that may do everything."""

    def __init__(self, app: RunningApp, tenant_id: str, publishable: str, secret: str) -> None:
        self.app = app
        self.tenant_id = tenant_id
        self.publishable = publishable
        self.secret = secret

    async def post(self, path: str, body: Any = None, key: str | None = None) -> httpx.Response:
        """Send a POST under /v1/auth, with the publishable key unless another credential is given."""
        return await self.app.call(key or self.publishable, "POST", f"/v1/auth/{path}", {} if body is None else body)

    async def sign_up(self, email: str = "alice@example.com", password: str = PASSWORD, **more: Any) -> SignedIn:
        """Sign up and return what the client keeps."""
        return kept(await self.post("sign-up", {"email": email, "password": password, **more}), 201)

    async def sign_in(self, email: str = "alice@example.com", password: str = PASSWORD) -> SignedIn:
        """Sign in and return what the client keeps."""
        return kept(await self.post("sign-in", {"email": email, "password": password}))

    async def try_sign_in(self, email: str = "alice@example.com", password: str = PASSWORD) -> tuple[int, str]:
        """Sign in and return the status and the error code, or nothing."""
        return said(await self.post("sign-in", {"email": email, "password": password}))

    async def refresh(self, token: str) -> SignedIn:
        """Refresh and return what the client keeps."""
        return kept(await self.post("token/refresh", {"refresh_token": token}))

    async def try_refresh(self, token: str) -> tuple[int, str]:
        """Refresh and return the status and the error code, or nothing."""
        return said(await self.post("token/refresh", {"refresh_token": token}))

    async def sign_out(self, access: str) -> tuple[int, str]:
        """Sign out and return the status and the error code, or nothing."""
        return said(await self.app.call(access, "POST", "/v1/auth/sign-out"))

    async def me(self, access: str) -> tuple[int, str]:
        """Ask who an access token is and return the status and the error code, or nothing."""
        return said(await self.app.call(access, "GET", "/v1/auth/me"))

    async def admin(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """Send a request with the secret key."""
        return await self.app.call(self.secret, method, path, body)

    async def entries(self) -> list[AuditEntryBody]:
        """Return the tenant's entries, oldest first."""
        page = await self.app.services.audit.list_entries(self.tenant_id, ListAuditQuery(limit=200))
        return page.rows[::-1]


class Gate:
    """Holds up whatever is hashed or checked until it is opened."""

    def __init__(self, app: RunningApp, count: int) -> None:
        self._opened = threading.Event()
        self._passwords = app.services.auth._services.passwords.hasher
        for _ in range(count):
            self._passwords._executor.submit(self._opened.wait, 20)

    @property
    def passwords(self) -> PasswordHasher:
        """What is held up."""
        return self._passwords

    def open(self) -> None:
        """Let everything go on."""
        self._opened.set()


async def make_front(app: RunningApp) -> Front:
    """Make a tenant with its keys."""
    tenant_id = await app.make_tenant()
    publishable = await app.make_key(tenant_id, key_type=TenantKeyType.PUBLISHABLE)
    return Front(app, tenant_id, publishable, await app.make_key(tenant_id))


def kept(answer: httpx.Response, status: int = 200) -> SignedIn:
    """Return what a client keeps of an answer."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    session = body["session"]
    return SignedIn(body["user"]["id"], session["id"], session["access_token"], session["refresh_token"])


def said(answer: httpx.Response) -> tuple[int, str]:
    """Return the status and the error code, "" when there is none."""
    if answer.is_success:
        return answer.status_code, ""
    return answer.status_code, str(answer.json()["error"]["code"])
