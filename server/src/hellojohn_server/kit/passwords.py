"""Hashing passwords: argon2id (RFC 9106) with OWASP's parameters, in a few threads, never more than a few waiting.

argon2 releases the GIL, so a hash costs the event loop nothing but the switch. More threads than cores only make each
hash slower; a longer queue only makes the last in it wait for an answer that its caller has given up on.
"""

import asyncio
import os
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import argon2

from hellojohn_server.kit.error_codes import ErrorCode
from hellojohn_server.kit.errors import Unavailable

MIN_CHARACTERS: Final = 8
MAX_BYTES: Final = 1024
"""The longest password, in bytes of UTF-8."""
MEMORY_KIB: Final = 19_456
PASSES: Final = 2
LANES: Final = 1
"""OWASP Password Storage Cheat Sheet: argon2id with m=19456 (19 MiB), t=2, p=1."""
WAITING_PER_THREAD: Final = 32


class PasswordHashingBusy(Unavailable):
    code = ErrorCode.PASSWORD_HASHING_BUSY
    message = "Too many passwords are being hashed just now. Try again shortly."
    retry_after = 1


class PasswordHasher:
    """Hashes in `threads` threads (by default one for each core); refuses when `waiting` more are in the queue."""

    def __init__(self, threads: int | None = None, waiting: int | None = None) -> None:
        count = threads or os.cpu_count() or 1
        self._capacity = count + (count * WAITING_PER_THREAD if waiting is None else waiting)
        self._taken = 0
        self._executor = ThreadPoolExecutor(count, thread_name_prefix="password")
        self._argon2 = argon2.PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)

    async def hash(self, password: str) -> str:
        """Return the PHC string of `password` with a new salt; PasswordHashingBusy when the queue is full.

        A caller that goes away leaves its hash running, and its place taken until that ends.
        """
        if self._taken >= self._capacity:
            raise PasswordHashingBusy
        self._taken += 1
        loop = asyncio.get_running_loop()
        hashed = loop.run_in_executor(self._executor, self._argon2.hash, prepare_password(password))
        hashed.add_done_callback(self._release)
        return await asyncio.shield(hashed)

    def _release(self, _: asyncio.Future[str]) -> None:
        self._taken -= 1

    def close(self) -> None:
        """Finish what is being hashed, and end the threads."""
        self._executor.shutdown()


def prepare_password(password: str) -> str:
    """Return `password` as it is hashed: NFKC (NIST SP 800-63B, 5.1.1.2), so that two keyboards give one password."""
    return unicodedata.normalize("NFKC", password)
