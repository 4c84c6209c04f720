"""The data directory: made for its owner only, and held by one server at a time."""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from hellojohn_server.cli.exits import CommandFailed, ExitCode

LOCK_FILE: Final = "server.lock"


def require_data_dir(data_dir: Path) -> None:
    """Make the data directory if it is missing, open to its owner only; CommandFailed when it cannot be written to."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(data_dir, error.strerror or str(error)) from error
    if not os.access(data_dir, os.R_OK | os.W_OK | os.X_OK):
        raise _unusable(data_dir, "it cannot be written to")


def _unusable(data_dir: Path, reason: str) -> CommandFailed:
    return CommandFailed(
        ExitCode.DATA_DIR,
        f"The data directory {data_dir.absolute()} cannot be used: {reason}. Choose one with --data-dir.",
    )


@contextmanager
def locked(data_dir: Path) -> Generator[None]:
    """Hold the data directory against a second server; CommandFailed when there is one. A crash lets go of it."""
    require_data_dir(data_dir)
    try:
        descriptor = os.open(data_dir / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise _unusable(data_dir, error.strerror or str(error)) from error
    try:
        _take_lock(descriptor, data_dir)
        yield
    finally:
        os.close(descriptor)


def _take_lock(descriptor: int, data_dir: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip() or "unknown"
        raise CommandFailed(
            ExitCode.LOCKED,
            f"Another server (process {holder}) uses {data_dir.absolute()}. The embedded store belongs to one server "
            "at a time: stop that one, or use PostgreSQL (HELLOJOHN_DATABASE_URL).",
        ) from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
