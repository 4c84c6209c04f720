"""Tokens of a user that are kept in a profile, so that `hj auth` may go on with them."""

import os
from typing import Final

import msgspec

from hellojohn_server.cli.console import err, printable
from hellojohn_server.cli.remote.access import find_profile
from hellojohn_server.cli.remote.commands import Request
from hellojohn_server.cli.remote.profiles import Profile, Profiles, profiles_file, read_profiles, write_profiles
from hellojohn_server.cli.remote.running import show_answer

SAVE: Final = {"save": "Keep the tokens in the profile, for the other commands of hj auth."}


def sign_in(request: Request) -> None:
    """Sign in, or refresh; keep the tokens if that is asked for, or if they take the place of kept ones."""
    answer = request.send()
    _, profile = find_profile(request.profile)
    replaces = profile is not None and request.named.get("refresh_token", "") == profile.refresh_token
    if replaces or "save" in request.switches:
        name = _keep(request, answer.session.access_token, answer.session.refresh_token)
        err.print(f"The tokens are kept in the profile {printable(name)}.", markup=False)
    show_answer(answer, request.layout)


def sign_out(request: Request) -> None:
    """Sign out, and forget the tokens if they were kept."""
    answer = request.send()
    _, profile = find_profile(request.profile)
    if profile is not None and profile.access_token is not None:
        _keep(request, None, None)
    show_answer(answer, request.layout)


def _keep(request: Request, access_token: str | None, refresh_token: str | None) -> str:
    """Write the tokens into the profile that is used, or a new one, and return its name."""
    file = profiles_file(os.environ)
    kept = read_profiles(file)
    name, profile = find_profile(request.profile)
    before = profile or Profile(api_url=request.api_url)
    changed = msgspec.structs.replace(before, access_token=access_token, refresh_token=refresh_token)
    write_profiles(file, Profiles(current=kept.current, profiles={**kept.profiles, name: changed}))
    return name
