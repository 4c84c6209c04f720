"""A user as a file says it, in our terms, and how the values of other systems become ours.

Nothing here is checked but the shape: whether the address is one, or the name too long, is asked of every file alike.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Generic, TypeAlias, TypeVar, cast

import msgspec

from hellojohn_server.kit.error_codes import FieldCode
from hellojohn_server.kit.errors import FieldError
from hellojohn_server.kit.times import to_ms

T = TypeVar("T")

WHOLE_ROW: Final = ""
"""The field of a fault that is the row's as a whole."""

_DIGITS: Final = re.compile(r"-?[0-9]{1,16}")
_PHONE: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_KIND_OF_TEXT: Final = "must be RFC 3339, or milliseconds since 1970"
_TRUE: Final = frozenset({"true", "t", "1", "yes"})
_FALSE: Final = frozenset({"false", "f", "0", "no"})

Json: TypeAlias = dict[str, Any]
Faults: TypeAlias = list[FieldError]


class FileUser(msgspec.Struct, kw_only=True, gc=False):
    """A user as a file says it. Times in milliseconds; `password_hash` in a form that kit/password_hashes.py reads."""

    id: str | None = None
    email: str | None = None
    email_verified: bool = False
    username: str | None = None
    name: str | None = None
    phone: str | None = None
    phone_verified: bool = False
    avatar_url: str | None = None
    external_id: str | None = None
    role: str | None = None
    disabled: bool = False
    disabled_reason: str | None = None
    banned: bool = False
    banned_at: int | None = None
    banned_until: int | None = None
    ban_reason: str | None = None
    password_hash: str | None = None
    password_reset_required: bool = False
    public_metadata: Json | None = None
    private_metadata: Json | None = None
    created_at: int | None = None
    updated_at: int | None = None
    last_sign_in_at: int | None = None
    last_active_at: int | None = None


class BadRow(Exception):
    """A row that is no user, and everything that is wrong with it."""

    def __init__(self, faults: Sequence[FieldError]) -> None:
        self.faults = list(faults)
        super().__init__(f"{len(self.faults)} faults")


class Source(msgspec.Struct, Generic[T], frozen=True):
    """What the rows of a format are, and how one becomes a user.

    `json_columns` hold JSON in a CSV file. `names` says how the format calls our fields, for those it calls otherwise.
    """

    row: type[T]
    to_user: Callable[[T, Faults], FileUser]
    json_columns: frozenset[str] = frozenset()
    names: Mapping[str, str] = {}


def time_of(field: str, value: str | float | None, faults: Faults) -> int | None:
    """Return a time as milliseconds: RFC 3339 (without an offset: UTC), or milliseconds since 1970, also as text."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        if _DIGITS.fullmatch(value) is None:
            try:
                moment = datetime.fromisoformat(value)
                return to_ms(moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC))
            except (ValueError, OverflowError):
                faults.append(FieldError(field, FieldCode.INVALID, f"Is no time: it {_KIND_OF_TEXT}."))
                return None
        value = int(value)
    return int(value)


def flag_of(field: str, value: str | float | None, faults: Faults) -> bool:
    """Return a yes or no as CSV files of several systems write it; false for one that is not there."""
    if value is None or isinstance(value, bool):
        return bool(value)
    text = str(value).lower()
    if text in _TRUE:
        return True
    if text not in _FALSE and text:
        faults.append(FieldError(field, FieldCode.WRONG_TYPE, "Must be true or false."))
    return False


def object_of(field: str, value: Any, faults: Faults) -> Json | None:
    """Return a JSON object that stands as itself or as text; None for one that is not there."""
    if isinstance(value, str) and value:
        try:
            value = msgspec.json.decode(value)
        except (msgspec.DecodeError, RecursionError):
            value = 0
    if value is None or value == "":
        return None
    if isinstance(value, dict):
        return cast("Json", value)
    faults.append(FieldError(field, FieldCode.WRONG_TYPE, "Must be a JSON object."))
    return None


def text_or_none(value: str | None) -> str | None:
    """Return `value`, or None for a text of nothing but blanks: files write what is not there as an empty one too."""
    return value if value and not value.isspace() else None


def joined_name(*parts: str | None) -> str | None:
    """Return first and last name as one, or None."""
    return " ".join(part.strip() for part in parts if part and not part.isspace()) or None


def phone_or_none(value: str | None) -> str | None:
    """Return a phone number in E.164, given without its + as well; None where it is not one."""
    if not value:
        return None
    number = value if value.startswith("+") else f"+{value}"
    return number if _PHONE.fullmatch(number) else None


def kept_apart(name: str, values: Mapping[str, Any], beside: Json | None = None) -> Json | None:
    """Return private metadata: `beside`, and under `name` those of the values that hold something; None for nothing."""
    held = {key: value for key, value in values.items() if value not in (None, "", [], {})}
    if not held:
        return beside
    return {**(beside or {}), name: held}
