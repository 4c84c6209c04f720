"""Options that several commands share, and how they become settings."""

import os
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import msgspec
import typer

from hellojohn_server.cli.exits import CommandFailed, ExitCode
from hellojohn_server.config import Settings, load_settings, settings_list, with_encryption_key

T = TypeVar("T")

_DOCS = {setting.field: f"{setting.doc} \\[{setting.variable}]" for setting in settings_list()}
_GROUP = "Settings"
_NEEDS: Final = {
    "allowed_ips": ("allowed-ip", "IP addresses or networks such as 203.0.113.0/24, at most 100 of them"),
    "expires_in": ("expires-in", "a whole number and a unit (s m h d w y), such as 90d"),
    "name": ("name", "1 to 200 characters, not all blank"),
    "overlap": ("overlap", "a whole number and a unit (s m h d w), such as 24h, at most 30d"),
    "reason": ("reason", "1 to 500 characters"),
    "scopes": ("scope", "scopes as docs/scopes.md lists them, at most 100 of them"),
}
"""What an option must be, by the field of the request that it fills."""


def setting_option(field: str, flag: str) -> Any:
    """Return the declaration of an option that stands for the setting `field` and has its help."""
    return typer.Option(flag, help=_DOCS[field], rich_help_panel=_GROUP, show_default=False)


DataDir = Annotated[Path | None, setting_option("data_dir", "--data-dir")]
DatabaseUrlOption = Annotated[str | None, setting_option("database_url", "--database-url")]
Json = Annotated[bool, typer.Option("--json", help="Print one line of JSON.")]


def is_on_store(data_dir: Path | None, database_url: str | None, profile: str | None) -> bool:
    """Whether a command that can do both works on the store: it is named, and no profile is. Else it goes over HTTP."""
    named = os.environ.get("HELLOJOHN_DATA_DIR") or os.environ.get("HELLOJOHN_DATABASE_URL")
    return data_dir is not None or database_url is not None or (profile is None and bool(named))


def settings_with(options: dict[str, Any], *, required: tuple[str, ...] = (), needs_key: bool = True) -> Settings:
    """Return the settings of the environment with the given options (by field name; None: not given) over them.

    Raises ConfigError; with `needs_key` also when there is no encryption key.
    """
    variables = {setting.field: setting.variable for setting in settings_list()}
    given = {variables[field]: str(value) for field, value in options.items() if value is not None}
    settings = load_settings({**os.environ, **given}, required=required)
    return with_encryption_key(settings) if needs_key else settings


def all_settings_help() -> str:
    """Return the list of every setting, for the end of `hj serve --help`."""
    lines = [
        f"[bold]{setting.variable}[/] {setting.doc}"
        + (f" [dim](default {setting.default})[/]" if setting.default else "")
        for setting in settings_list()
    ]
    return "Every setting is an environment variable:\n\n" + "\n\n".join(lines)


def checked(values: dict[str, Any], wanted: type[T]) -> T:
    """Return the request that the options make; CommandFailed naming the option that is wrong."""
    try:
        str(values).encode()
        return msgspec.convert(values, wanted)
    except UnicodeEncodeError as error:
        raise CommandFailed(ExitCode.USAGE, "An option holds bytes that are not UTF-8.") from error
    except msgspec.ValidationError as error:
        field = str(error).partition(" - at `$.")[2].partition("[")[0].rstrip("`")
        option, needs = _NEEDS.get(field, (field.replace("_", "-"), str(error)))
        raise CommandFailed(ExitCode.USAGE, f"--{option}: {needs}.") from error
