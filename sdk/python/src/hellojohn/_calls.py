"""One call before it is sent: what it is, what it carries, and whether it may be sent again."""

import secrets
from collections.abc import AsyncIterable, Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, TypeAlias, cast
from urllib.parse import quote, urlencode

import msgspec
from msgspec import UNSET, UnsetType

from hellojohn._settings import Credential, Settings
from hellojohn.errors import MissingCredential
from hellojohn.options import Options

JSON: Final = "application/json"
UPLOAD_SECONDS: Final = 600.0
"""How long each step of an upload may take unless told otherwise: the answer comes when the file was worked off."""

QueryValue: TypeAlias = str | bool | int | datetime | UnsetType
Content: TypeAlias = bytes | Iterable[bytes] | AsyncIterable[bytes]


class Repeat(StrEnum):
    """When a call may be sent again after a failure that leaves open whether it was executed."""

    ALWAYS = "always"
    """It changes nothing."""

    NEVER = "never"

    WITH_KEY = "with_key"
    """With the same Idempotency-Key it is executed once."""


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One call of an operation. Of `query` and `body` what is UNSET is not sent; null is."""

    method: str
    path: str
    query: Mapping[str, QueryValue] = {}
    body: Mapping[str, Any] | None = None
    options: Options = {}
    repeat: Repeat = Repeat.ALWAYS
    credential: Credential = Credential.SECRET_KEY
    is_versioned: bool = False

    def after(self, cursor: str) -> "Call":
        """Return the same call for the page after `cursor`."""
        if self.body is not None:
            return msgspec.structs.replace(self, body={**self.body, "cursor": cursor})
        return msgspec.structs.replace(self, query={**self.query, "cursor": cursor})


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it is sent, each time the same. Its text shows no secret."""

    method: str
    url: str
    headers: dict[str, str]
    content: Content | None
    timeout: float
    max_retries: int
    repeat: Repeat

    def __repr__(self) -> str:
        return f"Prepared({self.method} {self.url.partition('?')[0]})"


def segment(value: str) -> str:
    """Return an id as a part of a path. ValueError for what would make another path of it."""
    if not value or value in {".", ".."}:
        raise ValueError(f"{value!r} is no id")
    return quote(value, safe="")


def prepare(call: Call, settings: Settings, *, accept: str = JSON) -> Prepared:
    """Return the request of a call. TypeError for options that it does not take, MissingCredential without its key."""
    options = _checked_options(call)
    headers = _headers(call, settings, options) | {"Accept": accept}
    content: bytes | None = None
    body = None if call.body is None else {name: value for name, value in call.body.items() if value is not UNSET}
    if body:
        headers["Content-Type"] = JSON
        content = msgspec.json.encode(body)
    return Prepared(
        method=call.method,
        url=f"{settings.base_url}{call.path}{_query_of(call.query)}",
        headers=headers,
        content=content,
        timeout=options.get("timeout", settings.timeout),
        max_retries=options.get("max_retries", settings.max_retries),
        repeat=call.repeat,
    )


def prepare_upload(call: Call, settings: Settings, content: Content, content_type: str) -> Prepared:
    """Return the request of a call whose body is a file. It is sent once: the file may be gone through only once."""
    prepared = prepare(call, settings)
    timeout = call.options.get("timeout", max(UPLOAD_SECONDS, settings.timeout))
    headers = {**prepared.headers, "Content-Type": content_type}
    return msgspec.structs.replace(prepared, headers=headers, content=content, timeout=timeout, max_retries=0)


def _checked_options(call: Call) -> dict[str, Any]:
    known = {"timeout", "max_retries"}
    if call.credential in {Credential.MASTER_KEY, Credential.SECRET_KEY}:
        known.add("acting_admin")
    if call.repeat is Repeat.WITH_KEY:
        known.add("idempotency_key")
    if call.is_versioned:
        known.add("if_match")
    options = cast("dict[str, Any]", call.options)
    unknown = sorted(options.keys() - known)
    if unknown:
        raise TypeError(f"{call.method} {call.path} takes no {', '.join(unknown)}")
    return options


def _headers(call: Call, settings: Settings, options: dict[str, Any]) -> dict[str, str]:
    headers: dict[str, str] = {}
    if call.credential is not Credential.NONE:
        credential = settings.credential(call.credential)
        if credential is None:
            raise MissingCredential(
                f"{call.method} {call.path} needs a {call.credential}: HelloJohn({call.credential}=...)"
            )
        headers["Authorization"] = f"Bearer {credential}"
        if settings.tenant_id is not None and call.credential is not Credential.MASTER_KEY:
            headers["X-Tenant-ID"] = settings.tenant_id
    if call.credential in {Credential.MASTER_KEY, Credential.SECRET_KEY}:
        acting_admin = options.get("acting_admin", settings.acting_admin)
        if acting_admin is not None:
            headers["X-Acting-Admin"] = acting_admin
    if call.repeat is Repeat.WITH_KEY:
        headers["Idempotency-Key"] = options.get("idempotency_key") or secrets.token_urlsafe(24)
    if "if_match" in options:
        headers["If-Match"] = _tag_of(options["if_match"])
    return headers


def _tag_of(version: int | str) -> str:
    return version if isinstance(version, str) and version.startswith(('"', "*")) else f'"{version}"'


def _query_of(query: Mapping[str, QueryValue]) -> str:
    pairs = [(name, _text_of(name, value)) for name, value in query.items() if not isinstance(value, UnsetType)]
    return f"?{urlencode(pairs, quote_via=quote)}" if pairs else ""


def _text_of(name: str, value: object) -> str:
    """Return a value as it stands in a query. TypeError for null: left out, it would select everything."""
    match value:
        case None:
            raise TypeError(f"{name} cannot be None: leave it out")
        case bool():
            return "true" if value else "false"
        case datetime():
            if value.tzinfo is None:
                raise ValueError(f"{name} needs a time zone")
            return value.isoformat()
        case _:
            return str(value)
