"""Tokens that `hj auth` keeps in a profile: used, replaced by a refresh, forgotten at the end."""

import asyncio
import json

import pyotp

from hellojohn_server.cli.exits import ExitCode
from hellojohn_server.cli.remote.profiles import Profile, profiles_file, read_profiles
from tests.cli.remote.conftest import Person
from tests.cli.terminal import run_on_terminal
from tests.sdk.typescript.recorder import Site
from tests.support import hj_environment

PASSWORD = "correct horse battery"


def kept(person: Person) -> Profile:
    return read_profiles(profiles_file({"XDG_CONFIG_HOME": str(person.home)})).profiles["default"]


async def test_a_user_signs_in_goes_on_and_signs_out(site: Site, person: Person) -> None:
    await person.types(["login", "--api-url", site.url], site.world.publishable_key)
    unsaved = await person.types(["auth", "sign-up", "alice@example.com"], PASSWORD)
    assert unsaved.code == 0, unsaved.err
    assert kept(person).access_token is None
    assert (await person.types(["auth", "me"])).code == ExitCode.UNAUTHENTICATED
    saved = await person.types(["auth", "sign-in", "alice@example.com", "--save"], PASSWORD)
    assert "The tokens are kept in the profile default." in saved.err
    first = kept(person)
    assert json.loads((await person.types(["auth", "me"])).out)["email"] == "alice@example.com"
    refreshed = await person.types(["auth", "refresh"])
    assert refreshed.code == 0, refreshed.err
    second = kept(person)
    assert second.refresh_token not in {None, first.refresh_token}
    assert json.loads((await person.types(["auth", "update", "--name", "Alice"])).out)["name"] == "Alice"
    assert (await person.types(["auth", "sign-out"])).code == 0
    assert (kept(person).access_token, kept(person).refresh_token) == (None, None)
    assert kept(person).publishable_key == site.world.publishable_key
    assert (await person.types(["auth", "me"])).code == ExitCode.UNAUTHENTICATED


async def test_without_a_profile_saving_makes_one(site: Site, person: Person) -> None:
    person.has(HELLOJOHN_API_URL=site.url, HELLOJOHN_PUBLISHABLE_KEY=site.world.publishable_key)
    saved = await person.types(["auth", "sign-up", "bob@example.com", "--save"], PASSWORD)
    assert saved.code == 0, saved.err
    assert (kept(person).api_url, kept(person).publishable_key) == (site.url, None)
    person.has()
    assert json.loads((await person.types(["auth", "me"])).out)["email"] == "bob@example.com"


async def test_a_refresh_token_of_elsewhere_is_read_and_not_kept(site: Site, person: Person) -> None:
    person.has(HELLOJOHN_API_URL=site.url, HELLOJOHN_PUBLISHABLE_KEY=site.world.publishable_key)
    made = json.loads((await person.types(["auth", "sign-up", "carol@example.com"], PASSWORD)).out)
    refreshed = await person.types(["auth", "refresh"], made["session"]["refresh_token"])
    assert refreshed.code == 0, refreshed.err
    assert not person.home.exists()


async def test_at_a_terminal_the_key_is_asked_for_and_not_shown(site: Site, person: Person) -> None:
    environ = {**hj_environment(API_URL=site.url), "XDG_CONFIG_HOME": str(person.home)}
    key = site.world.secret_key
    ended = await asyncio.to_thread(run_on_terminal, "login", environ=environ, typed=f"{key}\n")
    assert (ended.returncode, "Key: " in ended.printed, key in ended.printed) == (0, True, False), ended.printed
    assert kept(person).secret_key == key


async def test_the_second_factor_that_a_sign_in_wants_is_told(site: Site, person: Person) -> None:
    world = site.world
    person.has(HELLOJOHN_API_URL=site.url, HELLOJOHN_PUBLISHABLE_KEY=world.publishable_key)
    made = json.loads((await person.types(["auth", "sign-up", "dan@example.com"], PASSWORD)).out)
    begun = await world.make(f"/v1/users/{made['user']['id']}/mfa/factors", {"type": "totp"})
    code = pyotp.TOTP(begun["secret"]).now()
    confirm = f"/v1/users/{made['user']['id']}/mfa/factors/{begun['id']}/confirm"
    assert (await world.send("POST", confirm, {"code": code})).is_success
    wanted = await person.types(["auth", "sign-in", "dan@example.com"], PASSWORD)
    assert wanted.code == ExitCode.FORBIDDEN
    assert "Finish with: hj auth verify-mfa " in wanted.err
    assert "--code" in wanted.err
