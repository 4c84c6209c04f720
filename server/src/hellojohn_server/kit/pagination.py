"""Lists: the page that goes out, and the sealed cursor that continues it.

A cursor is the position after the last row (sort value and tie), encrypted and bound to the tenant and the query, so it
can be neither read, nor altered, nor used with another query.
"""

import base64
import binascii
import hashlib
import os
from typing import Annotated, Final, Generic, TypeVar

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hellojohn_server.kit.error_codes import ErrorCode, FieldCode
from hellojohn_server.kit.errors import FieldError, Invalid

T = TypeVar("T")

COUNT_CAP: Final = 10_000
"""Totals that no counter holds are exact up to this number; beyond it `total_is_exact` is false."""

Limit = Annotated[int, msgspec.Meta(ge=1, le=100, description="Rows per page")]
Cursor = Annotated[str, msgspec.Meta(min_length=1, max_length=2048, description="next_cursor of the page before")]
Position = tuple[int | str | bool | None, ...]

_NONCE_BYTES: Final = 12


class Pagination(msgspec.Struct, frozen=True):
    """What every list says of itself. `next_cursor` is null on the last page."""

    total: int
    total_is_exact: bool
    limit: int
    has_more: bool
    next_cursor: str | None


class Page(msgspec.Struct, Generic[T], frozen=True):
    """Some rows, the total, and where to go on."""

    rows: list[T]
    pagination: Pagination


class InvalidCursor(Invalid):
    """The cursor was altered, or belongs to another query or tenant."""

    code = ErrorCode.INVALID_CURSOR
    message = "The cursor does not belong to this query. Start again without it, with the same filters on every page."

    def __init__(self) -> None:
        super().__init__(details=[FieldError("cursor", FieldCode.INVALID, "Not a cursor of this query.")])


class CursorCodec:
    """Seals positions under a 32-byte secret that is the same for every process of the service."""

    def __init__(self, secret: bytes) -> None:
        self._cipher = AESGCM(secret)

    def encode(self, tenant_id: str, query: object, position: Position) -> str:
        """Return the cursor that continues `query` (any msgspec-encodable value: filters and sort) after `position`."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, msgspec.msgpack.encode(position), _binding(tenant_id, query))
        return base64.urlsafe_b64encode(nonce + sealed).rstrip(b"=").decode()

    def decode(self, tenant_id: str, query: object, cursor: str) -> Position:
        """Return the position in `cursor`; InvalidCursor when it was not made for this tenant and query."""
        try:
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            opened = self._cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _binding(tenant_id, query))
        except (ValueError, binascii.Error, InvalidTag) as error:
            raise InvalidCursor from error
        return msgspec.msgpack.decode(opened, type=tuple[int | str | bool | None, ...])


def _binding(tenant_id: str, query: object) -> bytes:
    return hashlib.sha256(tenant_id.encode() + b"\x00" + msgspec.json.encode(query, order="sorted")).digest()


def page_of(rows: list[T], limit: int, total: int, next_cursor: str | None, *, capped: bool = False) -> Page[T]:
    """Return a page. `total` is cut at COUNT_CAP and marked inexact when it came from a capped count and passed it."""
    is_exact = not (capped and total > COUNT_CAP)
    shown = total if is_exact else COUNT_CAP
    return Page(rows, Pagination(shown, is_exact, limit, next_cursor is not None, next_cursor))
