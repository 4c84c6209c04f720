"""What a shell needs: help that is quick, completion; and a token that is all that is printed."""

import subprocess
import sys

from tests.cli.remote.conftest import Person
from tests.cli.terminal import run_on_terminal
from tests.sdk.typescript.recorder import Site
from tests.support import hj_environment, run_hj


def test_help_and_commands_on_the_store_do_without_the_sdk() -> None:
    program = """
import sys
from hellojohn_server.app import PARTS
from hellojohn_server.cli import root
assert root.run(PARTS, ["--help"]) == 0
assert root.run(PARTS, ["counters", "check", "--help"]) == 0
assert not {"hellojohn", "httpx2"} & sys.modules.keys()
assert root.run(PARTS, ["users", "--help"]) == 0
assert "hellojohn" in sys.modules
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr


def test_words_and_options_are_completed() -> None:
    for typed, at, expected in (
        ("hj user", 1, ["users"]),
        ("hj users dis", 2, ["disable"]),
        ("hj orgs members ", 3, ["list", "add", "update", "remove"]),
        ("hj users list --mfa", 3, ["--mfa-enrolled"]),
    ):
        asked = hj_environment() | {"_HJ_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(at)}
        assert run_hj(environ=asked).stdout.split() == expected, typed
    asked = hj_environment() | {"_HJ_COMPLETE": "source_bash"}
    assert "_HJ_COMPLETE=complete_bash" in run_hj(environ=asked).stdout


async def test_an_impersonation_prints_its_token_and_warns(site: Site, person: Person) -> None:
    alice = (await site.world.make("/v1/users", {"email": "alice@example.com"}))["id"]
    person.has(HELLOJOHN_API_URL=site.url, HELLOJOHN_SECRET_KEY=site.world.secret_key)
    for words in (["impersonate"], ["users", "impersonate"]):
        command = [*words, "alice@example.com", "--reason", "ticket 8842", "--expires-in", "15m", "--read-only"]
        ended = await person.types(command)
        assert (ended.code, ended.out.count("\n")) == (0, 1), ended.err
        token = ended.out.strip()
        verified = await site.world.send("POST", "/v1/sessions/verify", {"token": token})
        assert (verified.json()["valid"], verified.json()["user"]["id"]) == (True, alice)
        warning, ends, recorded, how = ended.err.splitlines()
        assert warning == f"WARNING: with this token you are alice@example.com ({alice}). It can look only."
        assert ends.startswith("It ends at ")
        assert ends.endswith(" UTC, in 15 minutes.")
        assert recorded == "What is done with it is recorded with both identities, for: ticket 8842"
        end = how.removeprefix("End it with: hj ").split()
        assert (await person.types(end)).code == 0
        assert (await site.world.send("POST", "/v1/sessions/verify", {"token": token})).json()["valid"] is False
    whole = await person.types(["impersonate", alice, "--reason", "x", "--format", "json"])
    assert '"impersonated_user_id":' in whole.out


def test_no_colours_where_they_are_not_wanted() -> None:
    coloured = run_on_terminal("keys", "revoke", "key_x", "--master", environ=hj_environment())
    plain = run_on_terminal("keys", "revoke", "key_x", "--master", environ={**hj_environment(), "NO_COLOR": "1"})
    assert "\x1b[1;31m" in coloured.printed
    assert "\x1b[1;31m" not in plain.printed
    assert "Error:" in plain.printed
