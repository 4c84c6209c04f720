"""The formats by name, and a file of one of them: bytes become rows, and a row a user, or what is wrong with it."""

import csv
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Final, cast

import msgspec

from hellojohn_server.kit.csv_text import as_written
from hellojohn_server.kit.error_codes import FieldCode
from hellojohn_server.kit.errors import FieldError
from hellojohn_server.kit.user_files.auth0 import AUTH0
from hellojohn_server.kit.user_files.clerk import CLERK
from hellojohn_server.kit.user_files.firebase import COLUMNS, firebase
from hellojohn_server.kit.user_files.hashes import FirebaseHashing
from hellojohn_server.kit.user_files.hellojohn import OWN
from hellojohn_server.kit.user_files.keycloak import KEYCLOAK
from hellojohn_server.kit.user_files.rows import CsvCutter, FileShape, MalformedFile, Row, cutter_of
from hellojohn_server.kit.user_files.supabase import SUPABASE
from hellojohn_server.kit.user_files.users import WHOLE_ROW, BadRow, Faults, FileUser, Json, Source

_ESCAPED_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_NOT_TEXT: Final = FieldError(WHOLE_ROW, FieldCode.INVALID, "Is not UTF-8.")
_NOT_JSON: Final = FieldError(WHOLE_ROW, FieldCode.INVALID, "Is not valid JSON.")
_NO_OBJECT: Final = FieldError(WHOLE_ROW, FieldCode.WRONG_TYPE, "Must be a JSON object.")
_HAS_NUL: Final = FieldError(WHOLE_ROW, FieldCode.INVALID, "Holds U+0000, which is not allowed.")
_NOT_CSV: Final = FieldError(WHOLE_ROW, FieldCode.INVALID, "Is not a record of CSV.")
_OTHER_COLUMNS: Final = FieldError(WHOLE_ROW, FieldCode.INVALID, "Has more values than there are columns.")


class UserFormat(StrEnum):
    """Whose files: ours, or another system's."""

    AUTH0 = "auth0"
    CLERK = "clerk"
    FIREBASE = "firebase"
    HELLOJOHN = "hellojohn"
    KEYCLOAK = "keycloak"
    SUPABASE = "supabase"


_SOURCES: Final[Mapping[UserFormat, Source[Any]]] = {
    UserFormat.AUTH0: AUTH0,
    UserFormat.CLERK: CLERK,
    UserFormat.HELLOJOHN: OWN,
    UserFormat.KEYCLOAK: KEYCLOAK,
    UserFormat.SUPABASE: SUPABASE,
}
_EMAIL_COLUMNS: Final = {UserFormat.CLERK: "primary_email_address"}
_DECODERS: Final = {
    kind: msgspec.json.Decoder(source.row)
    for kind, source in (*_SOURCES.items(), (UserFormat.FIREBASE, firebase(None)))
}


def is_taken(kind: UserFormat, shape: FileShape) -> bool:
    """Say whether a format has files of that shape. Keycloak has no CSV."""
    return kind is not UserFormat.KEYCLOAK or shape is not FileShape.CSV


class UserFile:
    """One file while it comes in. `feed` and `finish` yield rows and raise MalformedFile; `read` makes users."""

    def __init__(self, kind: UserFormat, shape: FileShape, hashing: FirebaseHashing | None = None) -> None:
        self._kind = kind
        self._source = firebase(hashing) if kind is UserFormat.FIREBASE else _SOURCES[kind]
        self._decoder = _DECODERS[kind]
        self._cutter = cutter_of(shape, has_header=kind is not UserFormat.FIREBASE)
        self._is_csv = shape is FileShape.CSV
        self._columns: tuple[str, ...] = COLUMNS if kind is UserFormat.FIREBASE else ()

    def feed(self, chunk: bytes) -> Iterator[Row]:
        """Yield the rows that the next bytes complete."""
        return self._cutter.feed(chunk)

    def finish(self) -> Iterator[Row]:
        """Yield what is left now that the file has ended."""
        return self._cutter.finish()

    def read(self, row: Row) -> tuple[FileUser, Faults]:
        """Return the user in a row and what could not be made of it.

        Raises BadRow where there is no telling what the row is, MalformedFile when the header above it is none.
        """
        faults: Faults = []
        source = self._record(row) if self._is_csv else self._object(row.text)
        return self._source.to_user(source, faults), faults

    def name_of(self, field: str) -> str:
        """Return what this format calls a field of ours."""
        return self._source.names.get(field, field)

    def _object(self, text: bytes) -> Any:
        if b"\\u0000" in text and _ESCAPED_NUL.search(text) is not None:
            raise BadRow([_HAS_NUL])
        try:
            return self._decoder.decode(text)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            raise BadRow(self._faults_of_text(text)) from None

    def _faults_of_text(self, text: bytes) -> Faults:
        try:
            plain = msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            return [_NOT_JSON]
        return self._faults_of(cast("Json", plain)) if isinstance(plain, dict) else [_NO_OBJECT]

    def _record(self, row: Row) -> Any:
        if not self._columns:
            self._columns = self._named_columns()
        values = _values_of(row.text)
        if any(values[len(self._columns) :]):
            raise BadRow([_OTHER_COLUMNS])
        faults: Faults = []
        given: dict[str, Any] = {}
        for name, value in zip(self._columns, values, strict=False):
            if value:
                cell = as_written(value) if self._kind is UserFormat.HELLOJOHN else value
                given[name] = self._json(name, cell, faults) if name in self._source.json_columns else cell
        if faults:
            raise BadRow(faults)
        try:
            return msgspec.convert(given, self._source.row, strict=False)
        except msgspec.ValidationError:
            raise BadRow(self._faults_of(given)) from None

    def _named_columns(self) -> tuple[str, ...]:
        """Return the names that the header gives. What it says is never repeated: it may be somebody's record."""
        header = self._cutter.header if isinstance(self._cutter, CsvCutter) else None
        try:
            names = tuple(name.strip() for name in _values_of(header or b""))
        except BadRow:
            names = ()
        if _EMAIL_COLUMNS.get(self._kind, "email") not in names or len(set(names)) != len(names):
            raise MalformedFile(1, "The first line must name the columns, each once, and one of them the address.")
        if self._kind is UserFormat.HELLOJOHN and not set(names) <= set(self._source.row.__struct_fields__):
            raise MalformedFile(1, "The first line names a column that there is not.")
        return names

    def _json(self, name: str, value: str, faults: Faults) -> Any:
        try:
            return msgspec.json.decode(value)
        except (msgspec.DecodeError, RecursionError):
            faults.append(FieldError(name, FieldCode.INVALID, "Is not valid JSON."))
            return None

    def _faults_of(self, plain: Mapping[str, Any]) -> Faults:
        """Return what is wrong with each value by itself."""
        faults: Faults = []
        fields = {field.encode_name: field for field in msgspec.structs.fields(self._source.row)}
        for name, field in fields.items():
            if name in plain:
                try:
                    msgspec.convert(plain[name], field.type, strict=not self._is_csv)
                except msgspec.ValidationError as error:
                    faults.append(FieldError(name, FieldCode.WRONG_TYPE, f"{str(error).partition(' - at')[0]}."))
        if self._source.row.__struct_config__.forbid_unknown_fields:
            for name in plain:
                if name not in fields:
                    shown = name if _PLAIN_NAME.fullmatch(name) else WHOLE_ROW
                    faults.append(FieldError(shown, FieldCode.UNKNOWN, "There is no such field."))
        return faults or [_NOT_JSON]


def _values_of(text: bytes) -> list[str]:
    """Return the values of a record of CSV; BadRow when it is none."""
    if b"\0" in text:
        raise BadRow([_HAS_NUL])
    try:
        decoded = text.decode().rstrip("\r\n")
        return next(csv.reader([decoded]), list[str]())
    except UnicodeDecodeError:
        raise BadRow([_NOT_TEXT]) from None
    except csv.Error:
        raise BadRow([_NOT_CSV]) from None
