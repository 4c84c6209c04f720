"""`hj login`, `hj logout` and `hj profiles`: which server is called, and with what."""

import ipaddress
import os
import sys
from getpass import getpass
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

import msgspec
import typer

from hellojohn_server.cli.console import err, printable
from hellojohn_server.cli.exits import CommandFailed, ExitCode
from hellojohn_server.cli.lazy import PANEL, load
from hellojohn_server.cli.remote.access import Access, Credential
from hellojohn_server.cli.remote.output import FormatOption, layout_of, show_rows
from hellojohn_server.cli.remote.profiles import (
    DEFAULT_API_URL,
    Profile,
    Profiles,
    profiles_file,
    read_profiles,
    write_profiles,
)
from hellojohn_server.kit.api_keys import ParsedKey, parse_key
from hellojohn_server.kit.ids import CONTROL_TENANT_ID
from hellojohn_server.kit.principal import CredentialKind

app = typer.Typer()

_KINDS: Final = {
    CredentialKind.MASTER_KEY: Credential.MASTER_KEY,
    CredentialKind.PUBLISHABLE_KEY: Credential.PUBLISHABLE_KEY,
    CredentialKind.SECRET_KEY: Credential.SECRET_KEY,
}
_COLUMNS: Final = ("name", "current", "api_url", "tenant_id", "credentials")


@app.command("login", rich_help_panel=PANEL)
def login(
    *,
    profile: Annotated[
        str | None,
        typer.Option("--profile", help="The profile to make or change. [HELLOJOHN_PROFILE]", show_default=False),
    ] = None,
    api_url: Annotated[
        str | None, typer.Option("--api-url", help="Where the server is. [HELLOJOHN_API_URL]", show_default=False)
    ] = None,
) -> None:
    """Keep a key for the commands that go over HTTP, once the server has said that it is good.

    The key (secret, publishable or master) is asked for, or read from a line of standard input. One profile holds one
    of each kind, and is from then on the one that is used.
    """
    file = profiles_file(os.environ)
    kept = read_profiles(file)
    name = profile or os.environ.get("HELLOJOHN_PROFILE") or kept.current
    before = kept.profiles.get(name)
    url = (api_url or os.environ.get("HELLOJOHN_API_URL") or (before.api_url if before else DEFAULT_API_URL)).rstrip(
        "/"
    )
    url = url.removesuffix("/v1")
    _require_private(url)
    key = _read_key()
    parsed = parse_key(key)
    if parsed is None:
        raise CommandFailed(ExitCode.USAGE, "This is no key: a key begins with sk_, pk_ or mk_ and is copied whole.")
    kind = _KINDS[parsed.kind]
    said = load("checking").check_key(Access(url, key, None), kind)
    changed = _with_key(before, url, parsed, kind, key)
    write_profiles(file, Profiles(current=name, profiles={**kept.profiles, name: changed}))
    err.print(f"The profile {printable(name)} calls {printable(url)} with {printable(said)}.", markup=False)


@app.command("logout", rich_help_panel=PANEL)
def logout(
    *,
    profile: Annotated[
        str | None,
        typer.Option("--profile", help="The profile to forget. Without: the one in use.", show_default=False),
    ] = None,
) -> None:
    """Forget a profile and its keys on this machine. The keys themselves go on: `hj keys revoke` ends them."""
    file = profiles_file(os.environ)
    kept = read_profiles(file)
    name = profile or os.environ.get("HELLOJOHN_PROFILE") or kept.current
    if name not in kept.profiles:
        raise CommandFailed(ExitCode.USAGE, f"There is no profile {name}.")
    left = {each: one for each, one in kept.profiles.items() if each != name}
    write_profiles(file, msgspec.structs.replace(kept, profiles=left))
    err.print(f"The profile {printable(name)} is forgotten. Its keys go on: hj keys revoke ends one.", markup=False)


@app.command("profiles", rich_help_panel=PANEL)
def profiles(
    *,
    use: Annotated[
        str | None, typer.Option("--use", help="The profile to use from now on.", show_default=False)
    ] = None,
    written_as: FormatOption = None,
) -> None:
    """List the profiles, without their keys, and say which one is used."""
    file = profiles_file(os.environ)
    kept = read_profiles(file)
    if use is not None:
        if use not in kept.profiles:
            raise CommandFailed(ExitCode.USAGE, f"There is no profile {use}.")
        kept = msgspec.structs.replace(kept, current=use)
        write_profiles(file, kept)
    current = os.environ.get("HELLOJOHN_PROFILE") or kept.current
    rows = [_row(name, one, is_current=name == current) for name, one in sorted(kept.profiles.items())]
    show_rows(rows, layout_of(written_as, None, _COLUMNS, _COLUMNS))


def _row(name: str, profile: Profile, *, is_current: bool) -> dict[str, Any]:
    held = [kind.value for kind in Credential if getattr(profile, kind.value, None) is not None]
    return {
        "name": name,
        "current": is_current,
        "api_url": profile.api_url,
        "tenant_id": profile.tenant_id,
        "credentials": held,
    }


def _read_key() -> str:
    """Return the key that is typed and not shown, or a line of standard input: arguments are seen by everybody."""
    return (getpass("Key: ") if sys.stdin.isatty() else sys.stdin.readline()).strip()


def _with_key(before: Profile | None, url: str, parsed: ParsedKey, kind: Credential, key: str) -> Profile:
    """Return the profile with the key. What belongs to another server or tenant is forgotten."""
    kept = before if before is not None and before.api_url == url else Profile(api_url=url)
    if parsed.tenant_id == CONTROL_TENANT_ID:
        return msgspec.structs.replace(kept, master_key=key)
    if kept.tenant_id not in {None, parsed.tenant_id}:
        kept = Profile(api_url=url, master_key=kept.master_key)
    return msgspec.structs.replace(kept, tenant_id=parsed.tenant_id, **{kind.value: key})


def _require_private(url: str) -> None:
    """Refuse to send keys in the clear to other machines, and what is no address of a server."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise CommandFailed(ExitCode.USAGE, f"--api-url: {url} is no address such as https://id.example.com.")
    if parts.scheme == "http" and not _is_this_machine(parts.hostname):
        raise CommandFailed(ExitCode.USAGE, f"--api-url: {url} would carry keys in the clear: use https.")


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
