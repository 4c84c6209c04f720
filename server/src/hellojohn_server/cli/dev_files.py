"""What `hj dev` keeps in its data directory, for its owner only: the encryption key, and keys of the demo."""

import base64
import os
from pathlib import Path
from typing import Final

import msgspec

from hellojohn_server.cli.exits import CommandFailed, ExitCode
from hellojohn_server.config import KEY_FILE

DEMO_FILE: Final = "demo.json"
_KEY_BYTES: Final = 32


class DemoAccess(msgspec.Struct, frozen=True, kw_only=True):
    """How to get at the demo tenant of one store. What is None is not made yet; `filled`: the demo's rows are there."""

    tenant_id: str
    filled: bool = False
    secret_key: str | None = None
    publishable_key: str | None = None
    master_key: str | None = None


def ensure_key_file(data_dir: Path) -> None:
    """Make the key file with a new key if there is none; of two at once, one makes it."""
    path = data_dir / KEY_FILE
    if path.exists():
        return
    _write(path, base64.b64encode(os.urandom(_KEY_BYTES)) + b"\n", replace=False)


def read_access(data_dir: Path) -> dict[str, DemoAccess]:
    """Return what the demo file says, by the name of the store; nothing when there is no file."""
    path = data_dir / DEMO_FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, DemoAccess])
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.DecodeError) as error:
        message = f"{path} cannot be read: {error}. Move it away to start anew."
        raise CommandFailed(ExitCode.DATA_DIR, message) from error


def write_access(data_dir: Path, access: dict[str, DemoAccess]) -> None:
    """Write the demo file anew."""
    _write(data_dir / DEMO_FILE, msgspec.json.format(msgspec.json.encode(access), indent=2) + b"\n", replace=True)


def _write(path: Path, content: bytes, *, replace: bool) -> None:
    """Write a whole file, durably, readable by its owner only; without `replace` one that is there already stays."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if replace:
        unfinished.replace(path)
        return
    try:
        os.link(unfinished, path)
    except FileExistsError:
        return
    finally:
        unfinished.unlink()
