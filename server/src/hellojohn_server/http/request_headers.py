"""The headers that say something to an operation, beside the credential: checked and in the form that services take."""

import re
from typing import Final

import msgspec

from hellojohn_server.http.call import Call
from hellojohn_server.kit.error_codes import FieldCode
from hellojohn_server.kit.errors import FieldError, IdempotencyNotSupported
from hellojohn_server.kit.principal import CredentialKind, Principal
from hellojohn_server.kit.routing import Content, Events, Method, Replay, Route

NO_VERSION: Final = -1
"""What If-Match becomes when it names an entity tag that no object of ours ever has: it matches no version."""

_ENTITY_TAGS: Final = re.compile(
    rb'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"(?:[ \t]*,[ \t]*(?:W/)?"[\x21\x23-\x7e\x80-\xff]*")*'
)
_OUR_TAG: Final = re.compile(rb'"([1-9][0-9]{0,14})"')
_KEY: Final = re.compile(rb"[\x20-\x7e]{1,255}")
_MAX_ASSERTED: Final = 200
_MAX_AGENT: Final = 512


class Given(msgspec.Struct, frozen=True):
    """What the headers of one request say."""

    user_agent: str | None = None
    asserted: str | None = None
    if_match: int | None = None
    idempotency_key: str | None = None


def read_headers(call: Call, route: Route, faults: list[FieldError]) -> Given:
    """Return what the headers say; what is wrong with them is added to `faults`."""
    headers = call.headers
    changes = route.method is not Method.GET
    return Given(
        user_agent=agent_of(headers.get(b"user-agent")),
        asserted=_asserted(call, faults) if b"x-acting-admin" in headers else None,
        if_match=_if_match(call, route, faults) if changes and b"if-match" in headers else None,
        idempotency_key=_key(call, route, faults) if changes and b"idempotency-key" in headers else None,
    )


def events_asked(call: Call) -> Events | None:
    """Return what a client says that accepts a stream of events; None when it accepts none."""
    if Content.EVENT_STREAM.value.encode() not in call.headers.get(b"accept", b"").lower():
        return None
    last_id = call.headers.get(b"last-event-id")
    return Events(last_id.decode("latin-1") if last_id else None)


def require_replayable(call: Call, route: Route, principal: Principal) -> None:
    """Raise IdempotencyNotSupported for an Idempotency-Key where it cannot be honoured and must not be ignored."""
    if (
        b"idempotency-key" in call.headers
        and route.method is not Method.GET
        and (
            route.replay is Replay.REFUSED
            or (route.replay is Replay.HONOURED and principal.kind is CredentialKind.PUBLISHABLE_KEY)
        )
    ):
        raise IdempotencyNotSupported


def agent_of(value: bytes | None) -> str | None:
    """Return what is kept of a User-Agent header, or None."""
    if value is None:
        return None
    text = value.decode("latin-1")
    if not text.isprintable():
        text = "".join(letter for letter in text if letter.isprintable())
    return text[:_MAX_AGENT] or None


def _asserted(call: Call, faults: list[FieldError]) -> str | None:
    """Return X-Acting-Admin as text: UTF-8, printable, at most 200 characters."""
    if _once(call, b"x-acting-admin", "X-Acting-Admin", faults):
        try:
            text = call.headers[b"x-acting-admin"].decode().strip(" \t")
        except UnicodeDecodeError:
            text = ""
        if text and text.isprintable() and len(text) <= _MAX_ASSERTED:
            return text
        message = f"Must be 1 to {_MAX_ASSERTED} printable characters in UTF-8."
        faults.append(FieldError("X-Acting-Admin", FieldCode.INVALID, message))
    return None


def _if_match(call: Call, route: Route, faults: list[FieldError]) -> int | None:
    """Return the version that If-Match names (RFC 9110 section 13.1.1); None for `*`, which any object matches.

    Tags are compared strongly: a weak one, and one that is no version, is well formed and never matches.
    """
    if not route.if_match:
        faults.append(FieldError("If-Match", FieldCode.UNKNOWN, "This operation does not take If-Match."))
    elif _once(call, b"if-match", "If-Match", faults):
        value = call.headers[b"if-match"].strip(b" \t")
        ours = _OUR_TAG.fullmatch(value)
        if ours is not None:
            return int(ours.group(1))
        if value == b"*":
            return None
        if _ENTITY_TAGS.fullmatch(value) is None:
            message = 'Must be the ETag of the object, in its quotation marks: "3".'
            faults.append(FieldError("If-Match", FieldCode.INVALID, message))
        elif value.count(b'"') > 2:  # noqa: PLR2004 - the quotation marks of one tag
            faults.append(FieldError("If-Match", FieldCode.INVALID, "Name one version."))
        else:
            return NO_VERSION
    return None


def _key(call: Call, route: Route, faults: list[FieldError]) -> str | None:
    if route.replay is Replay.HONOURED and _once(call, b"idempotency-key", "Idempotency-Key", faults):
        value = call.headers[b"idempotency-key"]
        if _KEY.fullmatch(value):
            return value.decode()
        message = "Must be 1 to 255 printable ASCII characters."
        faults.append(FieldError("Idempotency-Key", FieldCode.INVALID, message))
    return None


def _once(call: Call, name: bytes, shown: str, faults: list[FieldError]) -> bool:
    if call.is_repeated(name):
        faults.append(FieldError(shown, FieldCode.DUPLICATE, "This header was sent more than once."))
        return False
    return True
