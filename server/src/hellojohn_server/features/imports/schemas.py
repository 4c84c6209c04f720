"""An import as it is stored, shown and asked for, and what is asked of each row of a file."""

import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, cast

import msgspec
from msgspec import Meta

from hellojohn_server.features.user_loading.schemas import Taken
from hellojohn_server.features.users.schemas import (
    MAX_METADATA_BYTES,
    User,
    avatar_url_fault,
    email_fault,
    name_fault,
    password_hash_fault,
)
from hellojohn_server.kit.builtin_roles import BuiltinRole
from hellojohn_server.kit.emails import MAX_CHARACTERS
from hellojohn_server.kit.error_codes import ErrorCode, FieldCode
from hellojohn_server.kit.errors import FieldError
from hellojohn_server.kit.ids import IdPrefix, is_id
from hellojohn_server.kit.pagination import Cursor, Limit, Pagination
from hellojohn_server.kit.password_hashes import MAX_TEXT
from hellojohn_server.kit.routing import Content
from hellojohn_server.kit.text import email_key, fold
from hellojohn_server.kit.times import Timestamp, format_optional_time, format_time
from hellojohn_server.kit.user_files.formats import UserFile, UserFormat
from hellojohn_server.kit.user_files.hashes import FirebaseHashing
from hellojohn_server.kit.user_files.rows import FileShape, Row
from hellojohn_server.kit.user_files.users import BadRow, FileUser

SILENT_MS: Final = 60_000
"""After so long without progress an import that has not ended is taken for interrupted: its process is gone."""
MAX_DEPTH: Final = 32
MAX_INTEGER: Final = (1 << 63) - 1
LATEST_MS: Final = 253_402_300_799_999
"""The end of the year 9999, which is as far as times can be written."""

# What is surely an address, or that of a picture. Nearly all are, and the rules that know the others too take longer.
_PLAIN_EMAIL: Final = re.compile(
    r"(?=[^@]{1,64}@)[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}",
    re.IGNORECASE | re.ASCII,
)
_PLAIN_URL: Final = re.compile(r"https?://[a-z0-9][a-z0-9.-]*(?:/[!-~]*)?", re.IGNORECASE | re.ASCII)
_LONG_NUMBER: Final = re.compile(rb"[0-9]{19}")
_USERNAME_FORM: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_PHONE_FORM: Final = re.compile(r"\+[1-9][0-9]{6,14}")

SHAPES: Final = {Content.CSV: FileShape.CSV, Content.JSON: FileShape.JSON, Content.NDJSON: FileShape.NDJSON}


class ImportStatus(StrEnum):
    """Where an import is. `interrupted`: the file has not been read to its end, and nobody reads it now."""

    COMPLETED = "completed"
    INTERRUPTED = "interrupted"
    RUNNING = "running"


class StopCode(StrEnum):
    """Why an import stopped before the end of its file, beside the codes of errors."""

    CONNECTION_LOST = "connection_lost"
    MALFORMED_FILE = "malformed_file"


class Import(msgspec.Struct, frozen=True, kw_only=True):
    """A row of imports. Times in milliseconds.

    `run` counts who went on with it: only the last one may. `position` is how many bytes of the file were applied,
    `line` the last line of them, `digest` the hex SHA-256 over them.
    """

    id: str
    format: UserFormat
    content: Content
    dry_run: bool
    run: int
    row_count: int
    imported: int
    duplicates: int
    refused: int
    position: int
    line: int
    digest: str | None
    stopped_code: str | None
    stopped_line: int | None
    stopped_message: str | None
    created_at: int
    created_by: str
    progress_at: int
    completed_at: int | None
    purge_at: int


class RowFault(msgspec.Struct, frozen=True):
    """What is wrong with a field of a row, as the file calls the field; "" for the row as a whole."""

    field: str
    code: str
    message: str


class RefusedRow(msgspec.Struct, frozen=True):
    """A line of a report: a row that made no user. Nothing of what was in it is kept."""

    row: int
    line: int
    faults: list[RowFault]


class Stopped(msgspec.Struct, frozen=True):
    """Why an import stopped before the end of its file, and at which line if that is why."""

    code: str
    message: str | None
    line: int | None


class ImportBody(msgspec.Struct, frozen=True, kw_only=True):
    """An import. `rows` is how many were read: those of `imported`, `duplicates` and `refused` together.

    With `dry_run` nothing was written: `imported` is how many would have been.
    """

    id: str
    format: UserFormat
    content: Content
    dry_run: bool
    status: ImportStatus
    rows: int
    imported: int
    duplicates: int
    refused: int
    bytes_read: int
    stopped: Stopped | None
    created_at: Timestamp
    created_by: str
    progress_at: Timestamp
    completed_at: Timestamp | None


class ImportListBody(msgspec.Struct, frozen=True):
    """A page of imports."""

    data: list[ImportBody]
    pagination: Pagination


def import_body(one: Import, now_ms: int) -> ImportBody:
    """Return what is shown of an import at `now_ms`."""
    stopped = None
    if one.stopped_code is not None:
        stopped = Stopped(one.stopped_code, one.stopped_message, one.stopped_line)
    return ImportBody(
        id=one.id,
        format=one.format,
        content=one.content,
        dry_run=one.dry_run,
        status=_status_of(one, now_ms),
        rows=one.row_count,
        imported=one.imported,
        duplicates=one.duplicates,
        refused=one.refused,
        bytes_read=one.position,
        stopped=stopped,
        created_at=format_time(one.created_at),
        created_by=one.created_by,
        progress_at=format_time(one.progress_at),
        completed_at=format_optional_time(one.completed_at),
    )


def _status_of(one: Import, now_ms: int) -> ImportStatus:
    if one.completed_at is not None:
        return ImportStatus.COMPLETED
    is_silent = now_ms - one.progress_at > SILENT_MS
    return ImportStatus.INTERRUPTED if is_silent or one.stopped_code is not None else ImportStatus.RUNNING


Base64 = Annotated[str, Meta(pattern=r"^[A-Za-z0-9+/_-]+={0,2}$(?!\n)", max_length=512)]


class HashingQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The parameters of a Firebase project's passwords, without which they cannot be checked. They are not kept."""

    firebase_signer_key: (
        Annotated[Base64, Meta(description="base64_signer_key of the project's hash_config")] | None
    ) = None
    firebase_salt_separator: Annotated[Base64, Meta(description="its base64_salt_separator")] = "Bw=="
    firebase_rounds: Annotated[int, Meta(ge=1, le=8, description="its rounds")] = 8
    firebase_memory_cost: Annotated[int, Meta(ge=1, le=14, description="its mem_cost")] = 14

    def hashing(self) -> FirebaseHashing | None:
        """Return them together; None without a signer key."""
        if self.firebase_signer_key is None:
            return None
        own = (self.firebase_salt_separator, self.firebase_rounds, self.firebase_memory_cost)
        return FirebaseHashing(self.firebase_signer_key, *own)


class CreateImportQuery(HashingQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whose file it is, and whether to try only. A row whose address, name, id or external id is taken is skipped."""

    format: Annotated[UserFormat, Meta(description="whose file it is")] = UserFormat.HELLOJOHN
    dry_run: Annotated[bool, Meta(description="say what would happen, and write no user")] = False
    on_conflict: Annotated[Literal["skip"], Meta(description="what becomes of a row that is taken already")] = "skip"


class ListImportsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which page."""

    limit: Limit = 20
    cursor: Cursor | None = None


def faults_of(user: FileUser, now_ms: int) -> list[FieldError]:
    """Return what is wrong with a user of a file, as our fields are called: the rules of a user that is created."""
    faults: list[FieldError] = []
    if not user.email:
        faults.append(FieldError("email", FieldCode.REQUIRED, "Every user has an address."))
    elif _is_no_email(user.email):
        faults.append(FieldError("email", FieldCode.INVALID, "Must be an e-mail address."))
    for field, rule, longest in _TEXTS:
        text = getattr(user, field)
        if text is not None:
            _check(faults, field, None if rule is None else rule(text), len(text), longest)
    if user.phone_verified and user.phone is None:
        faults.append(FieldError("phone_verified", FieldCode.INVALID, "There is no phone to be verified."))
    _check_times(faults, user, now_ms)
    return faults


def _is_no_email(text: str) -> bool:
    plain = len(text) <= MAX_CHARACTERS and _PLAIN_EMAIL.fullmatch(text) is not None
    return not plain and (len(text) > MAX_CHARACTERS or email_fault(text) is not None)


def _name_fault(text: str) -> str | None:
    return None if text.isprintable() and not text.isspace() else name_fault(text)


def _avatar_url_fault(text: str) -> str | None:
    return None if _PLAIN_URL.fullmatch(text) else avatar_url_fault(text)


def _username_fault(text: str) -> str | None:
    wanted = "Must be letters, digits and . _ - with a letter or digit first."
    return None if _USERNAME_FORM.fullmatch(text) else wanted


def _phone_fault(text: str) -> str | None:
    return None if _PHONE_FORM.fullmatch(text) else "Must be a phone number in E.164 form."


def _id_fault(text: str) -> str | None:
    return None if is_id(text, IdPrefix.USER) else "Must be the id of a user: usr_ and 26 characters."


_TEXTS: Final[tuple[tuple[str, Callable[[str], str | None] | None, int], ...]] = (
    ("id", _id_fault, 30),
    ("name", _name_fault, 200),
    ("username", _username_fault, 64),
    ("phone", _phone_fault, 16),
    ("avatar_url", _avatar_url_fault, 2048),
    ("external_id", None, 255),
    ("role", None, 64),
    ("disabled_reason", None, 500),
    ("ban_reason", None, 500),
    ("password_hash", password_hash_fault, MAX_TEXT),
)
"""Texts of a user, with the rule and the length that each has as a field of a user that is created."""


def _check(faults: list[FieldError], field: str, fault: str | None, length: int, longest: int) -> None:
    if length > longest:
        faults.append(FieldError(field, FieldCode.TOO_LONG, f"Must be at most {longest} characters."))
    elif fault is not None:
        faults.append(FieldError(field, FieldCode.INVALID, fault))


def _check_times(faults: list[FieldError], user: FileUser, now_ms: int) -> None:
    for field in ("created_at", "updated_at", "last_sign_in_at", "last_active_at", "banned_at"):
        value = getattr(user, field)
        if value is not None and not 0 <= value <= now_ms:
            faults.append(FieldError(field, FieldCode.OUT_OF_RANGE, "Must be between 1970 and now."))
    if user.banned_until is not None and not 0 <= user.banned_until <= LATEST_MS:
        faults.append(FieldError("banned_until", FieldCode.OUT_OF_RANGE, "Must be before the year 10000."))


def user_of(found: FileUser, user_id: str, by: str, now_ms: int, faults: list[FieldError]) -> User:
    """Return the user that a sound row makes; adds to `faults` what is wrong with its metadata.

    `by` is who disabled or banned whoever comes so. A ban that has ended is none. Without a time of creation, it is the
    earliest time that is given; and nobody was active before being created.
    """
    active_at = found.last_active_at or found.last_sign_in_at
    known = [each for each in (found.last_sign_in_at, found.last_active_at, found.updated_at) if each is not None]
    created_at = min(known, default=now_ms) if found.created_at is None else found.created_at
    is_banned = found.banned and (found.banned_until is None or found.banned_until > now_ms)
    return User(
        id=user_id if found.id is None else found.id,
        email=found.email or "",
        email_key=email_key(found.email or ""),
        email_verified=found.email_verified,
        username=found.username,
        name=found.name,
        name_key=None if found.name is None else fold(found.name),
        phone=found.phone,
        phone_verified=found.phone_verified,
        avatar_url=found.avatar_url,
        external_id=found.external_id,
        role=found.role or BuiltinRole.MEMBER.value,
        disabled=found.disabled,
        disabled_at=now_ms if found.disabled else None,
        disabled_by=by if found.disabled else None,
        disabled_reason=found.disabled_reason if found.disabled else None,
        banned_at=(found.banned_at or now_ms) if is_banned else None,
        banned_by=by if is_banned else None,
        banned_until=found.banned_until if is_banned else None,
        ban_reason=found.ban_reason if is_banned else None,
        password_reset_required=found.password_reset_required,
        public_metadata=_metadata("public_metadata", found.public_metadata, faults),
        private_metadata=_metadata("private_metadata", found.private_metadata, faults),
        created_at=created_at,
        updated_at=max(created_at, found.updated_at or created_at),
        last_sign_in_at=found.last_sign_in_at,
        last_active_at=None if active_at is None else max(active_at, created_at),
    )


def _metadata(field: str, value: dict[str, Any] | None, faults: list[FieldError]) -> str:
    """Return metadata as it is stored; adds to `faults` when it is larger or deeper than it may be."""
    if not value:
        return "{}"
    encoded = msgspec.json.encode(value)
    if len(encoded) > MAX_METADATA_BYTES:
        message = f"Is more than {MAX_METADATA_BYTES} bytes as JSON, with what else is kept in it."
        faults.append(FieldError(field, FieldCode.TOO_LONG, message))
    elif encoded.count(b"{") + encoded.count(b"[") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        faults.append(FieldError(field, FieldCode.TOO_DEEP, f"Is nested deeper than {MAX_DEPTH} levels."))
    elif _LONG_NUMBER.search(encoded) is not None and _has_huge_number(value):
        faults.append(FieldError(field, FieldCode.OUT_OF_RANGE, "Holds a number that is too large."))
    return encoded.decode()


def _depth(value: Any) -> int:
    """Return how deep objects and lists are nested; at most a few thousand, as the text was short enough."""
    deepest = 0
    level: list[Any] = [value]
    while level:
        deepest += 1
        level = [inner for one in level for inner in _members_of(one) if isinstance(inner, dict | list)]
    return deepest


def _has_huge_number(value: Any) -> bool:
    if isinstance(value, int):
        return abs(value) > MAX_INTEGER
    return isinstance(value, dict | list) and any(map(_has_huge_number, _members_of(value)))


def _members_of(value: Any) -> list[Any]:
    return list(cast("dict[str, Any]", value).values()) if isinstance(value, dict) else cast("list[Any]", value)


_ID: Final = RowFault("id", FieldCode.DUPLICATE.value, "Another user has this id.")
_EMAIL: Final = RowFault("email", ErrorCode.EMAIL_ALREADY_EXISTS.value, "Another user has this e-mail address.")
_BANNED: Final = RowFault("email", ErrorCode.EMAIL_BANNED.value, "A banned user had this e-mail address.")
_USERNAME: Final = RowFault("username", ErrorCode.USERNAME_ALREADY_EXISTS.value, "Another user has this username.")
_EXTERNAL_ID: Final = RowFault(
    "external_id", ErrorCode.EXTERNAL_ID_ALREADY_EXISTS.value, "Another user has this external_id."
)
_NO_ROLE: Final = RowFault("role", FieldCode.UNKNOWN.value, "There is no such role.")
_UPWARD: Final = RowFault("role", FieldCode.MISSING_SCOPE.value, "Giving this role needs the scope admins:manage.")


class Candidate(msgspec.Struct, frozen=True, gc=False):
    """A row that was read: the user that it makes, or what is wrong with it."""

    row: Row
    user: User | None
    password_hash: str | None
    faults: list[RowFault]


class Outcome(msgspec.Struct):
    """What becomes of the rows of a batch. `duplicates` are those of `refused` whose only fault is to be taken."""

    accepted: list[Candidate] = []
    refused: list[RefusedRow] = []
    duplicates: int = 0


class Judging(msgspec.Struct, frozen=True):
    """What rows are judged by: what is taken, by the tenant's users and by earlier rows, and which roles there are."""

    taken: Taken
    privileges: Mapping[str, bool]
    given: set[str]
    file: UserFile
    may_manage: bool


def candidate_of(file: UserFile, row: Row, user_id: str, by: str, now_ms: int) -> Candidate:
    """Return what a row is read as. `user_id` is for a user who has none, `by` who imports."""
    try:
        found, faults = file.read(row)
    except BadRow as bad:
        return Candidate(row, None, None, [_row_fault(fault, fault.field) for fault in bad.faults])
    own = faults_of(found, now_ms)
    user = user_of(found, user_id, by, now_ms, own)
    if not own and not faults:
        return Candidate(row, user, found.password_hash, [])
    listed = [_row_fault(fault, fault.field) for fault in faults]
    listed += [_row_fault(fault, file.name_of(fault.field)) for fault in own]
    return Candidate(row, None, None, listed)


def decide(candidates: Sequence[Candidate], by: Judging) -> Outcome:
    """Say which rows make users: those that are sound, want nothing that is taken, and may have their role.

    Of several rows that want the same, the first has it.
    """
    outcome, given = Outcome(), set(by.given)
    for one in candidates:
        if one.user is None:
            outcome.refused.append(RefusedRow(one.row.number, one.row.line, one.faults))
            continue
        taken = _taken_faults(one.user, by.taken, given)
        faults = taken + _role_faults(one.user.role, by)
        if faults:
            named = [msgspec.structs.replace(fault, field=by.file.name_of(fault.field)) for fault in faults]
            outcome.refused.append(RefusedRow(one.row.number, one.row.line, named))
            outcome.duplicates += len(taken) == len(faults)
        else:
            outcome.accepted.append(one)
            given.update(keys_of(one.user))
    return outcome


def _role_faults(role: str, by: Judging) -> list[RowFault]:
    if role not in by.privileges:
        return [_NO_ROLE]
    return [_UPWARD] if by.privileges[role] and not by.may_manage else []


def moved_on(one: Import, candidates: Sequence[Candidate], outcome: Outcome, now: int) -> Import:
    """Return the import after these rows."""
    last = candidates[-1].row
    return msgspec.structs.replace(
        one,
        row_count=one.row_count + len(candidates),
        imported=one.imported + len(outcome.accepted),
        duplicates=one.duplicates + outcome.duplicates,
        refused=one.refused + len(outcome.refused) - outcome.duplicates,
        position=last.end,
        line=last.line,
        digest=last.digest,
        progress_at=now,
    )


def keys_of(user: User) -> list[str]:
    """Return what is unique in a user, as texts of which no two kinds are alike."""
    keys = [f"i{user.id}", f"e{user.email_key}"]
    if user.username is not None:
        keys.append(f"u{user.username.casefold()}")
    if user.external_id is not None:
        keys.append(f"x{user.external_id}")
    return keys


def _taken_faults(user: User, taken: Taken, given: set[str]) -> list[RowFault]:
    """Return what of a user somebody else has: in the tenant, or in an earlier row."""
    faults: list[RowFault] = []
    if user.id in taken.ids or f"i{user.id}" in given:
        faults.append(_ID)
    if user.email_key in taken.emails or f"e{user.email_key}" in given:
        faults.append(_EMAIL)
    elif user.email_key in taken.closed:
        faults.append(_BANNED)
    if user.username is not None:
        key = user.username.casefold()
        if key in taken.usernames or f"u{key}" in given:
            faults.append(_USERNAME)
    if user.external_id is not None and (user.external_id in taken.external_ids or f"x{user.external_id}" in given):
        faults.append(_EXTERNAL_ID)
    return faults


def _row_fault(fault: FieldError, field: str) -> RowFault:
    return RowFault(field, fault.code.value, fault.message)
