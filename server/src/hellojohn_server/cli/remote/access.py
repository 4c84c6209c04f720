"""Which server is called, and with what: the environment, and beneath it a profile."""

import os
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final

import msgspec
import typer

from hellojohn_server.cli.console import err
from hellojohn_server.cli.exits import CommandFailed, ExitCode
from hellojohn_server.cli.remote.profiles import DEFAULT_API_URL, Profile, profiles_file, read_profiles

ProfileOption = Annotated[
    str | None,
    typer.Option("--profile", help="The profile to use (hj login). [HELLOJOHN_PROFILE]", show_default=False),
]


class Credential(StrEnum):
    """What an operation is called with, named as the field of a profile."""

    ACCESS_TOKEN = "access_token"
    MASTER_KEY = "master_key"
    NONE = "none"
    PUBLISHABLE_KEY = "publishable_key"
    SECRET_KEY = "secret_key"


VARIABLES: Final = {
    Credential.ACCESS_TOKEN: "HELLOJOHN_ACCESS_TOKEN",
    Credential.MASTER_KEY: "HELLOJOHN_MASTER_KEY",
    Credential.PUBLISHABLE_KEY: "HELLOJOHN_PUBLISHABLE_KEY",
    Credential.SECRET_KEY: "HELLOJOHN_SECRET_KEY",
}
_WORDS: Final = {
    Credential.ACCESS_TOKEN: ("access token of a user", "hj auth sign-in --save"),
    Credential.MASTER_KEY: ("master key", "hj login"),
    Credential.PUBLISHABLE_KEY: ("publishable key", "hj login"),
    Credential.SECRET_KEY: ("secret key", "hj login"),
}


class Access(msgspec.Struct, frozen=True):
    """A server, a credential for it (None: it takes none), and the profile they come from, if they come from one."""

    api_url: str
    credential: str | None
    profile_name: str | None


def find_access(
    kind: Credential, named: str | None, environ: Mapping[str, str] = os.environ, *, otherwise: str = ""
) -> Access:
    """Return how to call an operation that takes this kind of credential.

    What the environment says wins over the profile; so that this surprises nobody, it is said where a profile was
    named. CommandFailed when there is no such profile, or the credential is nowhere; `otherwise` says what else to do.
    """
    name, profile = find_profile(named, environ)
    url = environ.get("HELLOJOHN_API_URL") or (profile.api_url if profile else DEFAULT_API_URL)
    if kind is Credential.NONE:
        return Access(url, None, name if profile else None)
    given = environ.get(VARIABLES[kind], "").strip()
    if given:
        if named is not None:
            err.print(f"{VARIABLES[kind]} is set: it is used, not that of the profile.", markup=False)
        return Access(url, given, None)
    kept: str | None = getattr(profile, kind.value, None)
    if kept is None:
        words, how = _WORDS[kind]
        where = f"The profile {name} has no {words}" if profile else f"There is no {words}"
        raise CommandFailed(ExitCode.UNAUTHENTICATED, f"{where}: {how}, or set {VARIABLES[kind]}.{otherwise}")
    return Access(url, kept, name)


def find_profile(named: str | None, environ: Mapping[str, str] = os.environ) -> tuple[str, Profile | None]:
    """Return the name of the profile that is meant and the profile; None where nobody named one and there is none."""
    profiles = read_profiles(profiles_file(environ))
    chosen = named or environ.get("HELLOJOHN_PROFILE") or None
    found = profiles.profiles.get(chosen or profiles.current)
    if chosen is not None and found is None:
        known = ", ".join(sorted(profiles.profiles)) or "none"
        raise CommandFailed(ExitCode.USAGE, f"There is no profile {chosen} (there are: {known}): hj login makes one.")
    return chosen or profiles.current, found
