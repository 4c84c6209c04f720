"""A disk that remembers what was written and synced, in which order, and that can be told to fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import apsw

if TYPE_CHECKING:
    from collections.abc import Callable


class Disk(apsw.VFS):
    """A VFS over the real one. `events` grows by (what, file name); `before` may raise to make an operation fail."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.events: list[tuple[str, str]] = []
        self.before: Callable[[str, str], None] | None = None
        super().__init__(name, base="")

    def xOpen(self, name: Any, flags: list[int]) -> DiskFile:  # noqa: N802 - the driver's name
        return DiskFile(name, flags, self)

    def note(self, what: str, file: str) -> None:
        """Remember an operation, after letting `before` refuse it."""
        if self.before is not None:
            self.before(what, file)
        self.events.append((what, file))


class DiskFile(apsw.VFSFile):
    """One open file of the disk."""

    def __init__(self, name: Any, flags: list[int], disk: Disk) -> None:
        path = name.filename() if isinstance(name, apsw.URIFilename) else (name or "")
        self._file = str(path).rpartition("/")[2]
        self._disk = disk
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - the driver's name
        self._disk.note("write", self._file)
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:  # noqa: N802 - the driver's name
        self._disk.note("sync", self._file)
        super().xSync(flags)
