"""Lines and rows out of a body that comes in pieces."""

import csv
from collections.abc import Iterator


class LineSplitter:
    """Splits bytes into lines, whatever pieces they come in. The end of each line is left out."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Yield every line that `piece` completes."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        yield from lines

    def end(self) -> Iterator[bytes]:
        """Yield what stands after the last line end."""
        if self._rest:
            yield self._rest
        self._rest = b""


class RowReader:
    """Reads rows of CSV (RFC 4180), the first of which has the names. A row may be of several lines."""

    def __init__(self) -> None:
        self._names: list[str] | None = None
        self._record = ""

    def feed(self, line: bytes) -> Iterator[dict[str, str]]:
        """Yield the row that `line` completes, if it does."""
        self._record += line.decode("utf-8-sig" if self._names is None else "utf-8")
        if self._record.count('"') % 2:
            self._record += "\n"
            return
        none: list[str] = []
        cells = next(csv.reader([self._record.removesuffix("\r")], strict=True), none)
        self._record = ""
        if self._names is None:
            self._names = cells
        elif cells:
            yield dict(zip(self._names, cells, strict=True))
