"""Files that are sent: a path, bytes, an open file, or pieces that are made on the way."""

import os
from collections.abc import AsyncIterable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import BinaryIO, Final, Literal, TypeAlias, cast

from msgspec import UnsetType

PIECE_BYTES: Final = 65_536

File: TypeAlias = str | os.PathLike[str] | bytes | BinaryIO | Iterable[bytes]
"""What can be uploaded. Text is a path."""

AsyncFile: TypeAlias = File | AsyncIterable[bytes]

ContentType: TypeAlias = Literal["application/json", "application/x-ndjson", "text/csv"]

_BY_SUFFIX: Final[dict[str, ContentType]] = {
    ".csv": "text/csv",
    ".json": "application/json",
    ".jsonl": "application/x-ndjson",
    ".ndjson": "application/x-ndjson",
}


def content_type_of(file: AsyncFile, given: ContentType | UnsetType) -> str:
    """Return what a file is written in: what was said, or what its name ends in. ValueError when neither tells."""
    if not isinstance(given, UnsetType):
        return given
    name = os.fspath(file) if isinstance(file, str | os.PathLike) else getattr(file, "name", "")
    found = _BY_SUFFIX.get(Path(name).suffix.lower()) if isinstance(name, str) else None
    if found is None:
        raise ValueError(f"say what the file is written in: content_type= one of {', '.join(_BY_SUFFIX.values())}")
    return found


def opened(file: AsyncFile) -> AbstractContextManager[object]:
    """Return a file as a context: what the SDK opens it closes, what it was given it leaves open."""
    return Path(file).open("rb") if isinstance(file, str | os.PathLike) else nullcontext(file)


def pieces_of(file: object) -> bytes | Iterable[bytes]:
    """Return the bytes of an opened file, or its pieces. TypeError for what is no file."""
    if isinstance(file, bytes) or not hasattr(file, "read"):
        if not isinstance(file, Iterable):
            raise TypeError(f"{type(file).__name__} is no file")
        return cast("bytes | Iterable[bytes]", file)
    return _read(cast("BinaryIO", file))


def _read(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(PIECE_BYTES):
        yield piece
