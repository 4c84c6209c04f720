"""What is measured: five operations, each as the request that a caller sends."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

import msgspec

PASSWORD: Final = "correct horse battery staple"
PAGE: Final = 20


class Name(StrEnum):
    """The operations, in the order in which they are measured: who is disabled cannot sign in any more."""

    LIST = "list page"
    GET = "get"
    SIGN_IN = "sign-in"
    IMPERSONATE = "impersonate"
    DISABLE = "durable disable"


WANTED_RATIO: Final = {name: 0.85 if name is Name.SIGN_IN else 0.35 for name in Name}


class Person(msgspec.Struct, frozen=True):
    """A user, as far as a request names one."""

    id: str
    email: str


class Caller(msgspec.Struct, frozen=True):
    """Who calls: the keys of the tenant."""

    tenant_id: str
    secret_key: str
    publishable_key: str


class Call(msgspec.Struct, frozen=True):
    """One request. `body` None: it has none."""

    method: str
    path: str
    key: str
    body: Mapping[str, Any] | None = None

    @property
    def content(self) -> bytes:
        """The body as it is sent."""
        return b"" if self.body is None else msgspec.json.encode(self.body)

    @property
    def headers(self) -> dict[str, str]:
        """The headers that a caller chooses."""
        typed = {} if self.body is None else {"Content-Type": "application/json"}
        return {"Authorization": f"Bearer {self.key}", **typed}

    def wire(self, port: int) -> bytes:
        """Return the request as it goes over a connection."""
        length = {} if self.body is None else {"Content-Length": str(len(self.content))}
        headers = {"Host": f"127.0.0.1:{port}", **self.headers, **length}
        lines = [f"{self.method} {self.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode() + self.content


def call_of(name: Name, caller: Caller, person: Person) -> Call:
    """Return the request of an operation about a user. A page is nobody's in particular: always the first."""
    match name:
        case Name.LIST:
            return Call("GET", "/v1/users", caller.secret_key)
        case Name.GET:
            return Call("GET", f"/v1/users/{person.id}", caller.secret_key)
        case Name.SIGN_IN:
            body = {"email": person.email, "password": PASSWORD}
            return Call("POST", "/v1/auth/sign-in", caller.publishable_key, body)
        case Name.IMPERSONATE:
            body = {"user_id": person.id, "reason": "Ticket 4711"}
            return Call("POST", "/v1/admin/users/impersonate", caller.secret_key, body)
        case Name.DISABLE:
            return Call("POST", f"/v1/users/{person.id}/disable", caller.secret_key, {"reason": "Left the company"})
