"""The bare side: an ASGI app of a few lines that runs each operation's statements and answers the same body.

    python -m bench.served.bare <plan file> <port>

There is no boundary, no rule, no log and no idempotency, and a caller is whom the statements find. A body is made of
the rows that were read and encoded like the server's; the signature of an access token is made each time.
"""

import asyncio
import base64
import itertools
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

import argon2
import msgspec
import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.served.engines import BareEngine, BarePostgres, BareSqlite
from bench.served.operations import PAGE, Name
from bench.served.programs import NUMBER_DIGITS, Engine, Program, ReadyStep, renumbered
from hellojohn_server.features.users.schemas import User
from hellojohn_server.kit.times import format_optional_time, format_time

_USER_WIDTH: Final = len(User.__struct_fields__)
_VERSION: Final = User.__struct_fields__.index("version")
_EMAIL: Final = User.__struct_fields__.index("email")
_picked: Final = itemgetter(
    *(
        User.__struct_fields__.index(name)
        for name in (
            "id", "email", "email_verified", "username", "name", "phone", "phone_verified", "avatar_url",
            "external_id", "role", "disabled", "disabled_reason", "mfa_enrolled", "password_reset_required",
            "public_metadata", "private_metadata", "created_at", "updated_at", "last_sign_in_at", "last_active_at",
            "version",
        )
    )
)  # fmt: skip
_encode: Final = msgspec.json.Encoder().encode


class Plan(msgspec.Struct, frozen=True):
    """What the bare side is told. `place` is the data directory or the URL; the hash is that of the users' password."""

    engine: Engine
    place: str
    tenant_id: str
    programs: dict[Name, Program]
    password_hash: str


class _Ready:
    """A program, ready to be run."""

    def __init__(self, program: Program) -> None:
        self.reads = [ReadyStep(step, program.user_id) for step in program.reads]
        self.writes = [ReadyStep(step, program.user_id) for step in program.writes]
        self.answer: dict[str, Any] = msgspec.json.decode(program.answer)


class BareApp:
    """Serves the five operations."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._ready = {name: _Ready(program) for name, program in plan.programs.items()}
        self._numbers = itertools.count(1)
        self._passwords = ThreadPoolExecutor(os.cpu_count())
        self._key = Ed25519PrivateKey.generate()
        token = str(self._ready[Name.IMPERSONATE].answer["access_token"]).split(".")
        self._token_head = token[0]
        self._claims: dict[str, Any] = msgspec.json.decode(base64.urlsafe_b64decode(token[1] + "=="))
        self._engine: BareEngine | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one ASGI connection, or the lifespan."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        path: str = scope["path"]
        if scope["method"] == "GET":
            body = await (self.get_user(path[len("/v1/users/") :]) if path != "/v1/users" else self.list_users())
        else:
            sent = msgspec.json.decode((await receive())["body"])
            body = await self._post(path, sent)
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def list_users(self) -> bytes:
        """Answer a page of users."""
        ready = self._ready[Name.LIST]
        rows = (await self.engine.read(ready.reads, ""))[-1]
        pagination = {**ready.answer["pagination"], "total": int(rows[0][_USER_WIDTH]), "has_more": len(rows) > PAGE}
        return _encode({"data": [shown(row) for row in rows[:PAGE]], "pagination": pagination})

    async def get_user(self, user_id: str) -> bytes:
        """Answer a user."""
        return _encode(shown((await self.engine.read(self._ready[Name.GET].reads, user_id))[-1][0]))

    async def disable_user(self, user_id: str, sent: Mapping[str, Any]) -> bytes:
        """Disable a user, durably."""
        ready = self._ready[Name.DISABLE]
        await self.engine.read(ready.reads, user_id)
        before = (await self.engine.write(ready.writes, user_id, self._number()))[0][0]
        changed = {name: ready.answer[name] for name in ("status", "disabled", "updated_at")}
        changed |= {"disabled_reason": sent["reason"], "version": before[_VERSION] + 1}
        return _encode({**shown(before), **changed, "access_stopped": ready.answer["access_stopped"]})

    async def impersonate_user(self, sent: Mapping[str, Any]) -> bytes:
        """Begin an impersonation, durably, and sign its token."""
        ready = self._ready[Name.IMPERSONATE]
        user_id, number = sent["user_id"], self._number()
        await self.engine.read(ready.reads, user_id)
        found = await self.engine.write(ready.writes, user_id, number)
        user = next(rows[0] for rows in found if rows and rows[0][0] == user_id)
        session_id = renumbered(ready.answer["session_id"], number)
        claims = {**self._claims, "sub": user_id, "sid": session_id, "email": user[_EMAIL]}
        signed = f"{self._token_head}.{_base64(_encode(claims))}"
        token = f"{signed}.{_base64(self._key.sign(signed.encode()))}"
        ids = {"session_id": session_id, "impersonated_user_id": user_id}
        return _encode({**ready.answer, "access_token": token, **ids})

    async def sign_in(self, sent: Mapping[str, Any]) -> bytes:
        """Verify a password: nothing else of a sign-in."""
        verify = argon2.low_level.verify_secret
        stored, secret = self._plan.password_hash.encode(), sent["password"].encode()
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._passwords, verify, stored, secret, argon2.Type.ID)
        return _encode(self._ready[Name.SIGN_IN].answer)

    @property
    def engine(self) -> BareEngine:
        """The engine; there is one from the start on."""
        if self._engine is None:
            raise RuntimeError("a request came before the start was complete")
        return self._engine

    def _post(self, path: str, sent: Mapping[str, Any]) -> Awaitable[bytes]:
        if path.endswith("/disable"):
            return self.disable_user(path[len("/v1/users/") : -len("/disable")], sent)
        return self.sign_in(sent) if path.endswith("/sign-in") else self.impersonate_user(sent)

    def _number(self) -> str:
        return f"{next(self._numbers):0{NUMBER_DIGITS}d}"

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        if self._plan.engine is Engine.SQLITE:
            self._engine = BareSqlite(Path(self._plan.place), self._plan.tenant_id)
        else:
            self._engine = await BarePostgres.open(self._plan.place)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._engine.close()
        self._passwords.shutdown()
        await send({"type": "lifespan.shutdown.complete"})


def shown(row: Any) -> dict[str, Any]:
    """Return the body of a user who is neither banned, locked, invited nor in the recycle bin."""
    values = _picked(row)
    disabled = bool(values[10])
    return {
        "id": values[0],
        "email": values[1],
        "email_verified": bool(values[2]),
        "username": values[3],
        "name": values[4],
        "phone": values[5],
        "phone_verified": bool(values[6]),
        "avatar_url": values[7],
        "external_id": values[8],
        "role": values[9],
        "status": "disabled" if disabled else "active",
        "disabled": disabled,
        "disabled_reason": values[11],
        "banned": False,
        "ban": None,
        "locked_until": None,
        "mfa_enrolled": bool(values[12]),
        "password_reset_required": bool(values[13]),
        "public_metadata": msgspec.Raw(values[14].encode()),
        "private_metadata": msgspec.Raw(values[15].encode()),
        "created_at": format_time(values[16]),
        "updated_at": format_time(values[17]),
        "last_sign_in_at": format_optional_time(values[18]),
        "last_active_at": format_optional_time(values[19]),
        "version": values[20],
    }


def _base64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def serve(app: Callable[..., Awaitable[None]], port: int) -> None:
    """Serve under uvicorn with the options that `hj serve` gives it, until a signal."""
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=port,
        loop="uvloop",
        http="httptools",
        ws="none",
        interface="asgi3",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        backlog=2048,
        timeout_keep_alive=75,
    )


def main() -> int:
    """Serve the plan in a file on a loopback port."""
    plan = msgspec.msgpack.decode(Path(sys.argv[1]).read_bytes(), type=Plan)
    serve(BareApp(plan), int(sys.argv[2]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
