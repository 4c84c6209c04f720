"""Profiles: where a server is and what it is called with, in a file that its owner alone reads."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from hellojohn_server.cli.exits import CommandFailed, ExitCode

DEFAULT_PROFILE: Final = "default"
DEFAULT_API_URL: Final = "https://api.hellojohn.dev"
_FILE: Final = "profiles.json"


class Profile(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A server, the credentials that it is called with, and the tenant that they belong to, as far as it is known."""

    api_url: str
    secret_key: str | None = None
    master_key: str | None = None
    publishable_key: str | None = None
    access_token: str | None = None
    refresh_token: str | None = None
    tenant_id: str | None = None


class Profiles(msgspec.Struct, frozen=True, kw_only=True):
    """Every profile by its name, and which one is used where none is named."""

    current: str = DEFAULT_PROFILE
    profiles: dict[str, Profile] = {}


def profiles_file(environ: Mapping[str, str]) -> Path:
    """Return the file of profiles: in $XDG_CONFIG_HOME/hellojohn, or ~/.config/hellojohn (XDG Base Directories)."""
    home = environ.get("XDG_CONFIG_HOME", "")
    return (Path(home) if Path(home).is_absolute() else Path.home() / ".config") / "hellojohn" / _FILE


def read_profiles(file: Path) -> Profiles:
    """Return what the file holds, nothing when there is none. CommandFailed when others may read it or it is broken."""
    try:
        with file.open("rb") as opened:
            mode = os.fstat(opened.fileno()).st_mode & 0o777
            text = opened.read()
    except FileNotFoundError:
        return Profiles()
    except OSError as error:
        raise CommandFailed(ExitCode.USAGE, f"{file} cannot be read: {error.strerror or error}.") from error
    if mode & 0o077:
        raise CommandFailed(ExitCode.USAGE, f"Others may read {file}, which holds keys: chmod 600 {file}.")
    try:
        return msgspec.json.decode(text, type=Profiles)
    except msgspec.DecodeError as error:
        raise CommandFailed(ExitCode.USAGE, f"{file} is not what hj wrote ({error}): mend or remove it.") from error


def write_profiles(file: Path, profiles: Profiles) -> None:
    """Put the file in its place whole, in a directory of its own, both for their owner only; CommandFailed."""
    partial = file.with_name(f"{file.name}.{os.getpid()}")
    text = msgspec.json.format(msgspec.json.encode(profiles), indent=2) + b"\n"
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.parent.chmod(0o700)
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as opened:
            opened.write(text)
            opened.flush()
            os.fsync(opened.fileno())
        partial.replace(file)
    except OSError as error:
        raise CommandFailed(ExitCode.USAGE, f"{file} cannot be written: {error.strerror or error}.") from error
