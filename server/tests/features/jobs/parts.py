"""A tenant whose users are planned for and worked on: plans, jobs and their reports as a back end sees them."""

from typing import Any, Final

import httpx
import msgspec

from hellojohn_server.features.users.schemas import User
from hellojohn_server.features.users.service import UserService
from hellojohn_server.storage.database import Reader
from tests.features.auth.parts import Front

DONE: Final = {"unchanged": 0, "skipped": 0, "failed": 0, "gone": 0}


class Office:
    """Calls with a key that may do everything, unless another is given."""

    def __init__(self, front: Front) -> None:
        self.front = front
        self.app = front.app
        self.tenant_id = front.tenant_id
        self.runner = front.app.services.job_runner

    async def call(self, method: str, path: str, body: Any = None, key: str | None = None) -> httpx.Response:
        """Send a request."""
        return await self.app.call(key or self.front.secret, method, path, body)

    async def made(self, path: str, body: Any, key: str | None = None) -> dict[str, Any]:
        """Make something and return it."""
        answer = await self.call("POST", path, body, key)
        assert answer.status_code == httpx.codes.CREATED, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def users(self, *names: str, **more: Any) -> list[str]:
        """Make users and return their ids, which are in the order of the names."""
        return [
            str((await self.made("/v1/users", {"email": f"{name}@example.com", "name": name, **more}))["id"])
            for name in names
        ]

    async def plan(self, action: str, parameters: Any = None, key: str | None = None, **whom: Any) -> dict[str, Any]:
        """Make a plan and return it."""
        return await self.made("/v1/admin/plans", {"action": action, "parameters": parameters or {}, **whom}, key)

    async def start(self, plan: dict[str, Any], key: str | None = None, **more: Any) -> dict[str, Any]:
        """Start a job and return it."""
        return await self.made("/v1/admin/jobs", {"plan_id": plan["id"], **more}, key)

    async def work(self) -> None:
        """Work everything off."""
        while await self.runner.work(self.tenant_id, lambda: False) is not None:
            pass

    async def job(self, job_id: str) -> dict[str, Any]:
        """Return a job as it is now."""
        answer = await self.call("GET", f"/v1/admin/jobs/{job_id}")
        assert answer.status_code == httpx.codes.OK, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def run(self, action: str, parameters: Any = None, **whom: Any) -> dict[str, Any]:
        """Plan, start and work off, and return the job as it is then."""
        job = await self.start(await self.plan(action, parameters, **whom))
        await self.work()
        return await self.job(job["id"])

    async def undo(self, job: dict[str, Any], **body: Any) -> dict[str, Any]:
        """Undo a job and return the one that did."""
        undoing = await self.made(f"/v1/admin/jobs/{job['id']}/undo", body)
        await self.work()
        return await self.job(undoing["id"])

    async def report(self, job: dict[str, Any]) -> list[tuple[str, str, str | None]]:
        """Return the lines of a job's report."""
        answer = await self.call("GET", f"/v1/admin/jobs/{job['id']}/report")
        assert answer.headers["content-type"] == "application/x-ndjson"
        lines = [msgspec.json.decode(line) for line in answer.content.splitlines()]
        return [(line["user_id"], line["outcome"], line["code"]) for line in lines]

    async def stored(self, user_id: str) -> User:
        """Return a user's row."""
        users: UserService = self.app.services.users

        async def query(reader: Reader) -> User | None:
            return await users.get_stored(reader, user_id)

        user = await self.app.services.database.read(self.tenant_id, query)
        assert user is not None
        return user

    async def told(self, kind: str) -> list[tuple[str | None, str | None, dict[str, Any] | None]]:
        """Return the entries of a type: whom they are about, the actor's id, what changed."""
        found = [entry for entry in await self.front.entries() if entry.type == kind]
        return [
            (None if entry.resource is None else entry.resource.id, entry.actor.id, entry.changes) for entry in found
        ]


def counts(job: dict[str, Any]) -> dict[str, Any]:
    """Return how a job went."""
    return {name: job[name] for name in ("status", "users", "changed", "unchanged", "skipped", "failed", "gone")}


def went(users: int, changed: int, **more: Any) -> dict[str, Any]:
    """Return how a job that came to its end went."""
    return {"status": "completed", "users": users, "changed": changed, **DONE, **more}
