"""An authenticator app, and users who have one."""

from typing import Any, Final

import httpx
from pyotp.totp import TOTP

from hellojohn_server.kit.clock import Clock
from hellojohn_server.storage.database import Parameter, Reader
from hellojohn_server.storage.sql import Statement
from tests.conftest import ManualClock
from tests.features.auth.parts import PASSWORD, Front, SignedIn, said

STEP: Final = 30
LIST_USERS: Final = Statement(
    "SELECT id, mfa_enrolled FROM users WHERE tenant_id = :tenant_id AND deleted_at IS NULL ORDER BY id"
)


class App:
    """An authenticator app that was given one secret, and looks at the test's clock."""

    def __init__(self, factor_id: str, secret: str, clock: Clock) -> None:
        self.factor_id = factor_id
        self.backup_codes: list[str] = []
        self._totp = TOTP(secret)
        self._clock = clock

    def code(self, steps: int = 0) -> str:
        """Return the code of now, or of so many steps later."""
        return self._totp.at(self._clock.now_ms() // 1000 + steps * STEP)

    def wrong(self) -> str:
        """Return a code that is not right now, nor a step before or after."""
        right = {self.code(steps) for steps in (-1, 0, 1)}
        return next(code for code in ("000000", "111111", "222222", "333333") if code not in right)


async def begin(front: Front, access: str, clock: Clock, **body: Any) -> App:
    """Begin a second factor of one's own."""
    answer = await front.post("mfa/factors", {"type": "totp", **body}, key=access)
    assert answer.status_code == 201, answer.text
    return App(answer.json()["id"], answer.json()["secret"], clock)


async def confirm(front: Front, access: str, app: App, code: str | None = None) -> httpx.Response:
    """Confirm it with the code of now, and keep the backup codes that come with it."""
    answer = await front.post(f"mfa/factors/{app.factor_id}/confirm", {"code": code or app.code()}, key=access)
    if answer.is_success:
        app.backup_codes = answer.json().get("backup_codes", [])
    return answer


async def enrolled(front: Front, clock: ManualClock, email: str = "alice@example.com") -> tuple[SignedIn, App]:
    """Sign up somebody who then has an authenticator app; a step later, so that the next code is good."""
    user = await front.sign_up(email)
    app = await begin(front, user.access, clock)
    assert (await confirm(front, user.access, app)).status_code == 200
    clock.advance(STEP)
    return user, app


async def challenge(front: Front, email: str = "alice@example.com", password: str = PASSWORD) -> str:
    """Give the right password, and return the challenge."""
    answer = await front.post("sign-in", {"email": email, "password": password})
    assert said(answer) == (403, "mfa_required"), answer.text
    return str(answer.json()["error"]["challenge_id"])


async def verify(front: Front, challenge_id: str, code: str, **more: Any) -> httpx.Response:
    """Take the second step."""
    return await front.post("mfa/verify", {"challenge_id": challenge_id, "code": code, **more})


async def rows(front: Front, statement: Statement, **parameters: Parameter) -> list[tuple[Any, ...]]:
    """Return what a statement finds in the tenant."""

    async def query(reader: Reader) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in await reader.fetch_all(statement, **parameters)]

    return await front.app.services.database.read(front.tenant_id, query)


async def told(front: Front, kind: str) -> list[dict[str, Any]]:
    """Return the metadata of the entries of a type, the oldest first."""
    return [entry.metadata or {} for entry in await front.entries() if entry.type == kind]


async def facts(front: Front) -> dict[str, Any]:
    """Return what the list, its filter and the counters say of enrolment."""
    listed = (await front.admin("GET", "/v1/users?mfa_enrolled=true")).json()
    searched = (
        await front.admin("POST", "/v1/admin/users/search", {"query": "", "filters": {"mfa_enrolled": True}})
    ).json()
    assert [user["id"] for user in listed["data"]] == [user["id"] for user in searched["data"]]
    assert all(user["mfa_enrolled"] for user in listed["data"])
    really = [user_id for user_id, is_enrolled in await rows(front, LIST_USERS) if is_enrolled]
    assert sorted(user["id"] for user in listed["data"]) == really
    return {"users": really, "total": listed["pagination"]["total"]}
