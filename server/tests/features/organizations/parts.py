"""A tenant with organizations and people in them, over HTTP on each store."""

from typing import Any, Final

import httpx

from tests.features.auth.parts import Front
from tests.support import RunningApp

PATH: Final = "/v1/organizations"


def error_of(answer: httpx.Response) -> tuple[int, str, list[tuple[str, str]]]:
    """Return the status, the code, and the faults of single fields."""
    error = answer.json()["error"]
    return answer.status_code, error["code"], [(one["field"], one["code"]) for one in error.get("details", [])]


class Desk:
    """A tenant's back end: calls with a key that may do everything."""

    def __init__(self, front: Front) -> None:
        self.front = front
        self.app: RunningApp = front.app
        self.tenant_id = front.tenant_id

    async def call(
        self, method: str, path: str, body: Any = None, *, key: str | None = None, **headers: str
    ) -> httpx.Response:
        """Send a request with the secret key, or `key`."""
        return await self.app.call(key or self.front.secret, method, path, body, headers)

    async def make(self, name: str = "Acme", **values: Any) -> dict[str, Any]:
        """Make an organization."""
        return await self._made(PATH, {"name": name, **values})

    async def make_user(self, name: str) -> str:
        """Make a user and return the id."""
        return str((await self._made("/v1/users", {"email": f"{name}@example.com", "name": name}))["id"])

    async def add(self, organization_id: str, user_id: str, role: str = "member") -> None:
        """Make a user a member."""
        await self._made(f"{PATH}/{organization_id}/members", {"user_id": user_id, "role": role})

    async def members(self, organization_id: str, query: str = "") -> list[tuple[str, str]]:
        """Return the members with their roles, which are on one page."""
        page = (await self.call("GET", f"{PATH}/{organization_id}/members?limit=100{query}")).json()
        assert page["pagination"]["total"] == len(page["data"])
        return [(member["user_id"], member["role"]) for member in page["data"]]

    async def entries(self, kind: str = "organization.*") -> list[dict[str, Any]]:
        """Return the audit entries of a kind, the oldest first."""
        found: list[dict[str, Any]] = (await self.call("GET", f"/v1/audit-logs?type={kind}&limit=200")).json()["data"]
        return found[::-1]

    async def _made(self, path: str, body: Any) -> dict[str, Any]:
        answer = await self.call("POST", path, body)
        assert answer.status_code == httpx.codes.CREATED, answer.text
        made: dict[str, Any] = answer.json()
        return made
