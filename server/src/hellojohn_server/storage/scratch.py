"""A set that may outgrow memory, for as long as one piece of work: in a file without a name, which goes with it."""

import hashlib
import os
from collections.abc import Iterable
from typing import Final, cast

import apsw

from hellojohn_server.storage.sqlite_driver import Connection, translated

_CACHE_KIB: Final = 8192
_KEY_BYTES: Final = 16


class ScratchSet:
    """Texts that were added. What is kept of each is a hash under a key that nobody has: the file tells nothing.

    StoreUnavailable when there is no room for the file.
    """

    def __init__(self) -> None:
        self._secret = os.urandom(_KEY_BYTES)
        # A database of its own, in a temporary file once it is large.
        self._connection = cast("Connection", apsw.Connection(""))
        for name, value in (("journal_mode", "OFF"), ("synchronous", "OFF"), ("cache_size", -_CACHE_KIB)):
            self._connection.pragma(name, value)
        self._connection.execute("CREATE TABLE texts (hash BLOB PRIMARY KEY) WITHOUT ROWID")

    def known(self, texts: Iterable[str]) -> set[str]:
        """Return those of the texts that were added before."""
        return {text for text in texts if self._has(text)}

    def add(self, texts: Iterable[str]) -> None:
        """Add texts; again is harmless."""
        hashes = [{"hash": self._hash(text)} for text in texts]
        with translated():
            self._connection.executemany("INSERT OR IGNORE INTO texts (hash) VALUES (:hash)", hashes)

    def close(self) -> None:
        """Forget everything."""
        self._connection.close()

    def _has(self, text: str) -> bool:
        with translated():
            found = self._connection.execute("SELECT 1 FROM texts WHERE hash = :hash", {"hash": self._hash(text)})
            return any(True for _ in found)

    def _hash(self, text: str) -> bytes:
        return hashlib.blake2b(text.encode(), digest_size=_KEY_BYTES, key=self._secret).digest()
