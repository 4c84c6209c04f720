"""What takes something away is asked first, with what will happen."""

import asyncio
from typing import Any

from hellojohn_server.cli.exits import ExitCode
from tests.cli.remote.conftest import Person
from tests.cli.terminal import OnTerminal, run_on_terminal
from tests.sdk.typescript.recorder import Site
from tests.support import hj_environment

PASSWORD = "correct horse battery"


async def at_terminal(site: Site, *arguments: str, typed: str = "", key: str | None = None) -> OnTerminal:
    environ = hj_environment(API_URL=site.url, SECRET_KEY=key or site.world.secret_key)
    return await asyncio.to_thread(run_on_terminal, *arguments, environ=environ, typed=typed)


async def signed_in_twice(site: Site) -> str:
    """Make alice, who is signed in twice, and return her id."""
    world = site.world
    body = {"email": "alice@example.com", "password": PASSWORD}
    made = await world.make("/v1/auth/sign-up", body, key=world.publishable_key)
    assert (await world.send("POST", "/v1/auth/sign-in", body, key=world.publishable_key)).is_success
    return str(made["user"]["id"])


async def user(site: Site, user_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await site.world.send("GET", f"/v1/users/{user_id}")).json()
    return found


async def test_a_question_names_whom_and_what_ends(site: Site) -> None:
    alice = await signed_in_twice(site)
    question = f"Disable alice@example.com ({alice}) and end their 2 sessions? [y/N] "
    for answer in ("\n", "n\n", "maybe\n"):
        asked = await at_terminal(site, "users", "disable", "alice@example.com", typed=answer)
        assert (asked.returncode, question in asked.printed) == (ExitCode.DECLINED, True), asked.printed
        assert "Nothing was changed." in asked.printed
    assert (await user(site, alice))["status"] == "active"
    done = await at_terminal(site, "users", "disable", alice, typed="y\n")
    assert (done.returncode, question in done.printed) == (0, True), done.printed
    assert (await user(site, alice))["status"] == "disabled"


async def test_the_question_is_that_of_what_was_typed(site: Site) -> None:
    alice = await signed_in_twice(site)
    who = f"alice@example.com ({alice})"
    for arguments, question in (
        (("users", "delete", alice), f"Move {who} to the recycle bin and end their 2 sessions?"),
        (("users", "delete", alice, "--permanent"), f"Erase {who} for good, with everything held about the person?"),
        (("users", "update", alice, "--disabled"), f"Disable {who} and end their 2 sessions?"),
        (("users", "end-sessions", "alice@example.com"), f"End the 2 sessions of {who}?"),
        (("bulk", "ban", alice, "usr_x", "--reason", "fraud"), "Ban 2 users and end their sessions?"),
        (("keys", "revoke", site.world.secret_key_id), "Revoke the secret key walk"),
        (("config", "set", "lockout.failures=9"), "Set lockout.failures=9 for everybody in the tenant?"),
    ):
        asked = await at_terminal(site, *arguments, typed="n\n")
        assert (asked.returncode, question in asked.printed) == (ExitCode.DECLINED, True), asked.printed
    renamed = await at_terminal(site, "users", "update", alice, "--name", "Alice")
    assert (renamed.returncode, "[y/N]" in renamed.printed) == (0, False), renamed.printed
    assert (await user(site, alice))["status"] == "active"


async def test_a_key_that_may_not_look_is_asked_for_what_was_typed(site: Site) -> None:
    alice = await signed_in_twice(site)
    key = (await site.world.make("/v1/api-keys", {"name": "w", "scopes": ["users:write"]}))["key"]
    asked = await at_terminal(site, "users", "disable", alice, typed="y\n", key=key)
    assert (asked.returncode, f"hj users disable {alice}? [y/N]" in asked.printed) == (0, True), asked.printed


async def test_without_a_terminal_nothing_is_done_unless_told(site: Site, person: Person) -> None:
    alice = await signed_in_twice(site)
    person.has(HELLOJOHN_API_URL=site.url, HELLOJOHN_SECRET_KEY=site.world.secret_key)
    ended = await person.types(["users", "disable", alice], "y")
    assert ended.code == ExitCode.USAGE
    assert f"Disable alice@example.com ({alice}) and end their 2 sessions? There is no terminal" in ended.err
    assert "pass --yes" in ended.err
    assert (await user(site, alice))["status"] == "active"
    site.recorder.seen.clear()
    assert (await person.types(["users", "disable", alice, "--yes"])).code == 0
    assert [seen.path for seen in site.recorder.seen] == [f"/v1/users/{alice}/disable"]


async def test_a_password_is_asked_for_and_not_shown(site: Site) -> None:
    made = await at_terminal(site, "users", "create", "bob@example.com", "--password", typed=f"{PASSWORD}\n")
    assert (made.returncode, "Password: " in made.printed) == (0, True), made.printed
    assert PASSWORD not in made.printed
    body = {"email": "bob@example.com", "password": PASSWORD}
    assert (await site.world.send("POST", "/v1/auth/sign-in", body, key=site.world.publishable_key)).is_success
