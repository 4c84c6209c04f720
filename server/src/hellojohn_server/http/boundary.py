"""The request boundary: query and body from bytes to the declared types, or every fault in them at once.

What is decoded here has exactly its declared type, no unknown and no repeated name, no U+0000, no half of a surrogate
pair, and bounded depth, size and numbers. Nothing behind this module has to think of it again.
"""

import re
from collections.abc import Callable
from functools import cache
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import msgspec
from msgspec import inspect

from hellojohn_server.http.call import Call, ClientDisconnected
from hellojohn_server.http.declared import JsonKind, kinds_of_type, members_of
from hellojohn_server.http.faults import MAX_FAULTS, WHOLE_BODY, faults_of, near, shown, why_bad
from hellojohn_server.http.json_text import MAX_DEPTH, has_duplicate_keys, is_plain, is_too_deep, parse, text_of
from hellojohn_server.http.rules import Rules
from hellojohn_server.kit.error_codes import FieldCode
from hellojohn_server.kit.errors import ApiError, FieldError, PayloadTooLarge, UnsupportedMediaType

_JSON_TYPES: Final = frozenset({b"application/json", b"application/json; charset=utf-8"})
_JSON_TYPE: Final = re.compile(
    rb'application/json[ \t]*(?:;[ \t]*(?:charset=(?:utf-8|"utf-8"))?[ \t]*)*', re.IGNORECASE
)
_BAD_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_LONG: Final = 4_096
"""Bytes from which on a body that has rules between its fields, such as texts to be tried, is costly to read."""
_BOOLEANS: Final = {"true": True, "false": False}


class QueryReader:
    """Reads the query string of one operation. `declared` None: it has no parameters."""

    def __init__(self, declared: type[msgspec.Struct] | None) -> None:
        self._declared = declared
        info = None if declared is None else inspect.type_info(declared)
        fields = info.fields if isinstance(info, inspect.StructType) else ()
        self._parsers = {field.encode_name: _parser_of(field.type) for field in fields}
        self._rules = None if declared is None else Rules(declared)
        if self._rules is not None and self._rules.are_joint:
            raise TypeError(f"{declared}: rules between fields are applied to bodies only")

    def read(self, query: bytes, faults: list[FieldError]) -> Any:
        """Return the parameters, or None after adding what is wrong with them to `faults`."""
        if self._declared is None and not query:
            return None
        before = len(faults)
        values = self._values(query, faults) if query else {}
        if self._declared is None:
            return None
        if len(faults) == before:
            try:
                parameters = msgspec.convert(values, self._declared)
            except msgspec.ValidationError:
                faults.extend(faults_of(values, self._declared))
            else:
                faults.extend(self._rules.faults(parameters) if self._rules else ())
                return parameters
        else:
            known_bad = {fault.field for fault in faults[before:]}
            faults.extend(fault for fault in faults_of(values, self._declared) if fault.field not in known_bad)
        return None

    def _values(self, query: bytes, faults: list[FieldError]) -> dict[str, Any]:
        """Return the parameters by name, each as the JSON value that its text stands for, or as text."""
        values: dict[str, Any] = {}
        for pair in query.split(b"&"):
            if not pair:
                continue
            raw_name, _, raw_value = pair.partition(b"=")
            name, value = _decode(raw_name), _decode(raw_value)
            field = shown(raw_name.decode("latin-1") if name is None else name)
            if name not in self._parsers:
                faults.append(FieldError(field, FieldCode.UNKNOWN, f"There is no such parameter.{self._near(name)}"))
            elif name in values:
                faults.append(FieldError(field, FieldCode.DUPLICATE, "This parameter was given more than once."))
            else:
                values[name] = value
                fault = _fault_of_text(field, value)
                if fault is not None:
                    faults.append(fault)
                elif value is not None:
                    values[name] = self._parsers[name](value)
            if len(faults) >= MAX_FAULTS:
                break
        return values

    def _near(self, name: str | None) -> str:
        return "" if name is None else near(name, self._parsers)


class BodyReader:
    """Reads the body of one operation. `declared` None: it takes none."""

    def __init__(self, declared: type[msgspec.Struct] | None, max_bytes: int) -> None:
        self._declared = declared
        self._max_bytes = max_bytes
        self._decoder = None if declared is None else msgspec.json.Decoder(declared)
        self._rules = None if declared is None else Rules(declared)
        self.is_optional = declared is None or _all_default(declared)

    def is_costly(self, body: bytes) -> bool:
        """Say whether reading a body may take so long that it is better done beside the loop."""
        return len(body) > _LONG and self._rules is not None and self._rules.are_joint

    async def receive(self, call: Call, receive: Any) -> bytes:
        """Return the bytes of the body.

        Raises PayloadTooLarge as soon as that is known, UnsupportedMediaType for a body of another type, and
        ClientDisconnected.
        """
        length = call.headers.get(b"content-length")
        declares_body = length is not None and length != b"0"
        if declares_body or b"transfer-encoding" in call.headers:
            if self._declared is not None:
                _require_json(call)
        elif self._declared is None:
            return b""
        if length is not None and length.isdigit() and int(length[:12]) > self._max_bytes:
            raise PayloadTooLarge(self._too_large())
        body = await self._receive_all(receive)
        if body and self._declared is not None and not declares_body:
            _require_json(call)
        return body

    def read(self, body: bytes, faults: list[FieldError]) -> Any:
        """Return the decoded body, or None after adding what is wrong with it to `faults`. MalformedJson.

        What is wrong between its fields is added only if there are faults already, in the rest of the request or here:
        without any the service says it.
        """
        if self._declared is None or self._decoder is None:
            if body:
                faults.append(FieldError(WHOLE_BODY, FieldCode.UNKNOWN, "This operation takes no body."))
            return None
        if not body and self.is_optional:
            return self._declared()
        text = text_of(body)
        if is_too_deep(body):
            message = f"Objects and lists are nested deeper than {MAX_DEPTH} levels."
            faults.append(FieldError(WHOLE_BODY, FieldCode.TOO_DEEP, message))
            return None
        if is_plain(body):
            try:
                value = self._decoder.decode(body)
                if not has_duplicate_keys(body, text):
                    self._add(value, self._rules.faults(value) if self._rules else [], faults)
                    return value
            except (msgspec.DecodeError, RecursionError):
                pass  # said below, with everything else that is wrong
        plain = parse(text)
        found = faults_of(plain, self._declared)
        self._add(plain, found, faults)
        return None if found else self._decoder.decode(body)  # it only looked suspicious

    def _add(self, value: Any, found: list[FieldError], faults: list[FieldError]) -> None:
        faults.extend(found)
        if faults and self._rules is not None:
            faults.extend(self._rules.faults_together(value, found))

    async def _receive_all(self, receive: Any) -> bytes:
        chunks: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnected
            chunk: bytes = message.get("body", b"")
            size += len(chunk)
            if size > self._max_bytes:
                raise PayloadTooLarge(self._too_large())
            chunks.append(chunk)
            if not message.get("more_body", False):
                return b"".join(chunks) if len(chunks) > 1 else chunk

    def _too_large(self) -> str:
        return f"The body is larger than the {self._max_bytes} bytes that this operation takes."


@cache
def query_reader(declared: type[msgspec.Struct] | None) -> QueryReader:
    """Return the reader of a type: it is compiled once, however many apps the process starts."""
    return QueryReader(declared)


@cache
def body_reader(declared: type[msgspec.Struct] | None, max_bytes: int) -> BodyReader:
    """Return the reader of a type and size, compiled once."""
    return BodyReader(declared, max_bytes)


def refuse_all(faults: list[FieldError], kind: Callable[..., ApiError]) -> None:
    """Raise `kind` with the first MAX_FAULTS of `faults`, if there are any."""
    if faults:
        raise kind(details=faults[:MAX_FAULTS])


def _require_json(call: Call) -> None:
    """Refuse a body of another type than JSON in UTF-8, and one that is compressed."""
    content_type = call.headers.get(b"content-type", b"")
    is_json = content_type in _JSON_TYPES or _JSON_TYPE.fullmatch(content_type) is not None
    if not is_json or call.is_repeated(b"content-type"):
        raise UnsupportedMediaType
    if call.headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise UnsupportedMediaType("Send the body as it is, without a Content-Encoding.")


def _decode(raw: bytes) -> str | None:
    """Return a name or value of a query string as text, + for a space; None when it is not percent-encoded UTF-8."""
    if b"%" in raw:
        if _BAD_ESCAPE.search(raw) is not None:
            return None
        raw = unquote_to_bytes(raw.replace(b"+", b" "))
    elif b"+" in raw:
        raw = raw.replace(b"+", b" ")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None


def _fault_of_text(field: str, value: str | None) -> FieldError | None:
    if value is None:
        return FieldError(field, FieldCode.INVALID, "Must be percent-encoded UTF-8.")
    if not value:
        return FieldError(field, FieldCode.INVALID, "Is empty. Leave the parameter out instead.")
    refused = why_bad(value)
    return None if refused is None else FieldError(field, FieldCode.INVALID, refused)


def _parser_of(declared: inspect.Type) -> Callable[[str], Any]:
    """Return what makes a JSON value of the text of a parameter: exact forms only, and any other text stays text."""
    kinds = {kind for member in members_of(declared) for kind in kinds_of_type(member)} - {JsonKind.NULL}
    if kinds == {JsonKind.BOOLEAN}:
        return lambda text: _BOOLEANS.get(text, text)
    if kinds == {JsonKind.WHOLE}:
        return lambda text: int(text) if _INTEGER.fullmatch(text) else text
    if kinds == {JsonKind.STRING}:
        return lambda text: text
    raise TypeError(f"a parameter is text, a whole number or a boolean, not {declared}")


def _all_default(declared: type[msgspec.Struct]) -> bool:
    return not any(field.required for field in msgspec.structs.fields(declared))
