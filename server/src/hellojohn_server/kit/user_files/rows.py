"""Cutting a file into rows while it comes in: lines of JSON, records of CSV, members of a JSON array.

Nothing is kept but the row that is not complete yet. A row says where it ends and what the hash of everything up to
there is, so that whoever stops after it can tell later whether the file that goes on is the same one.
"""

import codecs
import hashlib
import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Final, Protocol

import msgspec

MAX_ROW_BYTES: Final = 1_048_576
"""The most that a row may take, and what stands between two."""

_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_BLANK: Final = b" \t\r\n"
_TO_BRACKET: Final = re.compile(rb'(?:[^"\[\]{}]++|"(?:[^"\\]++|\\.)*+")*+[\[\]{}]', re.DOTALL)
"""Everything up to and with the next bracket that is not in a string."""
_OPENING: Final = frozenset(b"[{")
_USERS_KEY: Final = re.compile(rb'(?<!\\)"users"\s*:\s*\[\Z')
# A quote opens a field only at its start. Firebase does not double the quotes within: what follows them is kept.
_FIELD: Final = rb'(?:"[^"]*+(?:""[^"]*+)*+"[^,]*+|[^",][^,]*+|)'
_RECORD: Final = re.compile(rb"%b(?:,%b)*+" % (_FIELD, _FIELD), re.DOTALL)
_REST_OF_RECORD: Final = re.compile(rb'[^"]*+(?:""[^"]*+)*+"[^,]*+(?:,%b)*+' % _FIELD, re.DOTALL)


class FileShape(StrEnum):
    """How rows stand in a file."""

    CSV = "csv"
    JSON = "json"
    NDJSON = "ndjson"


class MalformedFile(Exception):
    """What cannot be cut into rows from `line` on; `message` says why, without anything from the file."""

    def __init__(self, line: int, message: str) -> None:
        self.line = line
        self.message = message
        super().__init__(f"line {line}: {message}")


class Row(msgspec.Struct, frozen=True, gc=False):
    """One row: its number and the line on which it begins, both from 1, its bytes, and where it ends in the file."""

    number: int
    line: int
    text: bytes
    end: int
    hasher: Any

    @property
    def digest(self) -> str:
        """The hex SHA-256 of the file up to `end`."""
        return str(self.hasher.hexdigest())


class RowCutter(Protocol):
    """Cuts one file. `feed` takes the next bytes and yields the rows that they complete; `finish` says it has ended.

    Both raise MalformedFile.
    """

    def feed(self, chunk: bytes) -> Iterator[Row]: ...

    def finish(self) -> Iterator[Row]: ...


class _Cutter:
    """What the three have in common: what came and was not cut off yet, and how far the file is cut."""

    def __init__(self) -> None:
        self._kept = b""
        self._number = 0
        self._line = 1
        self._end = 0
        self._hasher = hashlib.sha256()
        self._begun = False

    def _take(self, chunk: bytes) -> bytes:
        """Return what was kept and `chunk` behind it; MalformedFile for UTF-16. A byte order mark is passed over."""
        data = self._kept + chunk if self._kept else chunk
        if not self._begun:
            if any(mark.startswith(data) for mark in (codecs.BOM_UTF8, *_UTF_16)):
                return data  # which may be the beginning of a mark
            self._begun = True
            if data.startswith(_UTF_16):
                raise MalformedFile(1, "The file is UTF-16. Save it as UTF-8.")
            if data.startswith(codecs.BOM_UTF8):
                self._pass(codecs.BOM_UTF8)
                return data[len(codecs.BOM_UTF8) :]
        return data

    def _keep(self, rest: bytes) -> None:
        if len(rest) > MAX_ROW_BYTES:
            raise MalformedFile(self._line, f"The row takes more than {MAX_ROW_BYTES} bytes.")
        self._kept = rest

    def _pass(self, raw: bytes) -> None:
        """Count `raw` as cut off, without a row."""
        self._hasher.update(raw)
        self._end += len(raw)
        self._line += raw.count(b"\n")

    def _row(self, raw: bytes, start: int) -> Row:
        """Return the row that ends with `raw` and begins at `start` in it; MalformedFile when that is too long."""
        if len(raw) > MAX_ROW_BYTES:
            raise MalformedFile(self._line, f"The row takes more than {MAX_ROW_BYTES} bytes.")
        line = self._line + (raw.count(b"\n", 0, start) if start else 0)
        self._pass(raw)
        self._number += 1
        return Row(self._number, line, raw[start:], self._end, self._hasher.copy())


class NdjsonCutter(_Cutter):
    """A row is a line. Blank ones are passed over."""

    def feed(self, chunk: bytes) -> Iterator[Row]:
        """Yield the rows that `chunk` completes."""
        data, start = self._take(chunk), 0
        while (stop := data.find(b"\n", start) + 1) > 0:
            yield from self._line_of(data[start:stop])
            start = stop
        self._keep(data[start:])

    def finish(self) -> Iterator[Row]:
        """Yield the last line, if nothing ends it."""
        yield from self._line_of(self._kept)
        self._kept = b""

    def _line_of(self, raw: bytes) -> Iterator[Row]:
        if raw.strip(_BLANK):
            yield self._row(raw, 0)
        else:
            self._pass(raw)


class CsvCutter(_Cutter):
    """A row is a record (RFC 4180), which may go over several lines. The first one may be a header: it is no row.

    `header` is its bytes once it has come.
    """

    def __init__(self, *, has_header: bool) -> None:
        super().__init__()
        self.header: bytes | None = None
        self._has_header = has_header
        self._scanned = 0
        self._is_open = False

    def feed(self, chunk: bytes) -> Iterator[Row]:
        """Yield the rows that `chunk` completes."""
        data, start = self._take(chunk), 0
        at = self._scanned
        while (stop := data.find(b"\n", at) + 1) > 0:
            if self._completes(data[at : stop - 1]):
                yield from self._record(data[start:stop])
                start = stop
            at = stop
        self._keep(data[start:])
        self._scanned = at - start

    def finish(self) -> Iterator[Row]:
        """Yield the last record, if no line end ends it; MalformedFile when a quotation mark is left open."""
        if not self._completes(self._kept[self._scanned :]):
            raise MalformedFile(self._line, "A quotation mark opens a field that nothing closes.")
        yield from self._record(self._kept)
        self._kept, self._scanned = b"", 0

    def _completes(self, line: bytes) -> bool:
        """Say whether a line ends its record: it does not where a quoted field is left open."""
        if b'"' in line:
            form = _REST_OF_RECORD if self._is_open else _RECORD
            self._is_open = form.fullmatch(line) is None
        return not self._is_open

    def _record(self, raw: bytes) -> Iterator[Row]:
        if not raw.strip(_BLANK):
            self._pass(raw)
        elif self._has_header and self.header is None:
            self.header = raw
            self._pass(raw)
        else:
            yield self._row(raw, 0)


class JsonCutter(_Cutter):
    """A row is an object in the file's array, or in the array `users` of the object that the file is."""

    def __init__(self) -> None:
        super().__init__()
        self._depth: int = 0
        self._array_depth: int = 0
        self._scanned = 0
        self._row_start = 0
        self._uncut = 0
        self._is_done = False

    def feed(self, chunk: bytes) -> Iterator[Row]:
        """Yield the rows that `chunk` completes."""
        data, start = self._take(chunk), 0
        at = self._scanned
        while not self._is_done and (match := _TO_BRACKET.match(data, at)) is not None:
            stop, self._uncut = match.end(), start
            if data[stop - 1] in _OPENING:
                self._open(data, at, stop)
                if self._array_depth and self._depth == self._array_depth + 1:
                    self._row_start = stop - 1 - start
            elif self._close(data, at, stop):
                yield self._row(data[start:stop], self._row_start)
                start = stop
            at = stop
            if not self._array_depth or self._is_done:
                self._pass(data[start:stop])
                start = stop
        if self._is_done:
            self._end_of(data[start:])
            start = at = len(data)
        self._keep(data[start:])
        self._scanned = at - start

    def finish(self) -> Iterator[Row]:
        """Yield nothing; MalformedFile when the array has not ended."""
        if not self._is_done:
            raise MalformedFile(self._line, "The file ends before its array of users does, or has none.")
        yield from ()

    def _open(self, data: bytes, at: int, stop: int) -> None:
        before, bracket = data[at : stop - 1].strip(_BLANK), data[stop - 1 : stop]
        if self._depth == 0 and before:
            raise self._malformed(data, at, "The file must be a JSON array, or an object with an array `users`.")
        if self._array_depth and self._depth == self._array_depth:
            wanted = b"," if self._number else b""
            if before != wanted or bracket != b"{":
                raise self._malformed(data, at, "The array must hold objects, with a comma between two.")
        self._depth += 1
        if not self._array_depth and bracket == b"[":
            is_users = self._depth == 2 and _USERS_KEY.search(data, at, stop) is not None  # noqa: PLR2004 - in an object
            if self._depth == 1 or is_users:
                self._array_depth = self._depth

    def _close(self, data: bytes, at: int, stop: int) -> bool:
        """Count a closing bracket, and say whether it ends a row."""
        bracket = data[stop - 1 : stop]
        if self._array_depth and self._depth == self._array_depth:
            if bracket != b"]" or data[at : stop - 1].strip(_BLANK):
                raise self._malformed(data, at, "The array must hold objects, with a comma between two.")
            self._is_done = True
        self._depth -= 1
        if self._depth <= 0 and not self._is_done:
            raise self._malformed(data, at, "There is no array `users` in the file.")
        return bool(self._array_depth) and self._depth == self._array_depth

    def _end_of(self, rest: bytes) -> None:
        """Pass over what follows the array: nothing but blanks after an array of its own."""
        if self._array_depth == 1 and rest.strip(_BLANK):
            self._uncut = 0
            raise self._malformed(rest, 0, "Something follows the array.")
        self._pass(rest)

    def _malformed(self, data: bytes, at: int, message: str) -> MalformedFile:
        while data[at] in _BLANK:
            at += 1
        return MalformedFile(self._line + data.count(b"\n", self._uncut, at), message)


def cutter_of(shape: FileShape, *, has_header: bool) -> RowCutter:
    """Return what cuts a file of this shape. `has_header` is asked of CSV only."""
    if shape is FileShape.NDJSON:
        return NdjsonCutter()
    return CsvCutter(has_header=has_header) if shape is FileShape.CSV else JsonCutter()
