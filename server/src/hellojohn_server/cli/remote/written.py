"""The commands over HTTP that are no declaration: settings by their names, the probes, and those right under `hj`."""

import json
from typing import Annotated, Any

import typer

from hellojohn_server.cli.confirm import Yes, confirm
from hellojohn_server.cli.exits import CommandFailed, ExitCode
from hellojohn_server.cli.remote.access import Credential, ProfileOption, find_access
from hellojohn_server.cli.remote.calls import connected
from hellojohn_server.cli.remote.output import FormatOption, layout_of
from hellojohn_server.cli.remote.running import show_answer


def add_settings(app: typer.Typer) -> None:
    """Add what changes settings one by one."""
    app.command("set")(set_config)


def add_probes(app: typer.Typer) -> None:
    """Add what asks how the server is."""
    app.command("health")(health)
    app.command("ready")(ready)


def set_config(
    *,
    settings: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME=VALUE...",
            help="Such as mfa.required=all; JSON or text; null for the default.",
            show_default=False,
        ),
    ],
    yes: Yes = False,
    written_as: FormatOption = None,
    profile: ProfileOption = None,
) -> None:
    """Change settings of the tenant by their names, as `hj config get` shows them; the others stay."""
    change: dict[str, Any] = {}
    for setting in settings:
        _put(change, setting)
    confirm(f"Set {', '.join(settings)} for everybody in the tenant?", yes=yes)
    with connected(find_access(Credential.SECRET_KEY, profile), Credential.SECRET_KEY) as client:
        show_answer(client.admin.config.update(**change), layout_of(written_as, None))


def _put(change: dict[str, Any], setting: str) -> None:
    """Put one setting where its name says."""
    name, sign, text = setting.partition("=")
    sections, _, field = name.strip().rpartition(".")
    if not sign or not sections or not field:
        raise CommandFailed(ExitCode.USAGE, f"{setting}: say it as section.name=value, as in lockout.failures=5.")
    try:
        value = json.loads(text)
    except ValueError:
        value = text
    place = change
    for section in sections.split("."):
        place = place.setdefault(section, {})
    place[field] = value


def health(*, written_as: FormatOption = None, profile: ProfileOption = None) -> None:
    """Say whether the server lives."""
    with connected(find_access(Credential.NONE, profile), Credential.NONE) as client:
        show_answer(client.server.health(), layout_of(written_as, None))


def ready(*, written_as: FormatOption = None, profile: ProfileOption = None) -> None:
    """Say whether the server can serve requests; exit code 19 when it cannot."""
    with connected(find_access(Credential.NONE, profile), Credential.NONE) as client:
        show_answer(client.server.ready(), layout_of(written_as, None))
