"""`hj login`, `hj logout`, `hj profiles`: a key is kept once the server has said that it is good."""

import json
from typing import Any

import pytest

from hellojohn_server.cli.exits import ExitCode
from tests.cli.remote.conftest import Person
from tests.sdk.typescript.recorder import Site
from tests.walk.world import another_tenant


def rows(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


async def test_each_kind_of_key_is_asked_about_and_kept(site: Site, person: Person) -> None:
    world = site.world
    ended = await person.types(["login", "--api-url", f"{site.url}/v1/"], world.secret_key)
    assert (ended.code, ended.out) == (0, ""), ended.err
    assert f"The profile default calls {site.url} with the secret key walk ({world.secret_key_id})" in ended.err
    assert [seen.path for seen in site.recorder.seen if seen.path != "/v1/tenants"][-1] == "/v1/api-keys/current"
    for key, says in ((world.publishable_key, "publishable key"), (world.master_key, "a master key of 1 tenants")):
        ended = await person.types(["login"], key)
        assert (ended.code, says in ended.err) == (0, True), ended.err
    [shown] = rows((await person.types(["profiles"])).out)
    assert shown == {
        "name": "default",
        "current": True,
        "api_url": site.url,
        "tenant_id": world.tenant_id,
        "credentials": ["master_key", "publishable_key", "secret_key"],
    }
    listed = await person.types(["users", "list"])
    assert listed.code == 0, listed.err
    tenants = await person.types(["tenants", "list"])
    assert [row["id"] for row in rows(tenants.out)] == [world.tenant_id]


async def test_profiles_are_chosen_and_forgotten(site: Site, person: Person) -> None:
    other = await another_tenant(site.world)
    await person.types(["login", "--profile", "work", "--api-url", site.url], site.world.secret_key)
    await person.types(["login", "--profile", "other", "--api-url", site.url], other.secret_key)

    async def tenant_of(*arguments: str) -> str:
        entry = rows((await person.types(["audit", "list", "--limit", "1", *arguments])).out)[0]
        return str(entry["tenant_id"])

    assert await tenant_of() == other.tenant_id
    assert await tenant_of("--profile", "work") == site.world.tenant_id
    shown = rows((await person.types(["profiles", "--use", "work"])).out)
    assert [(row["name"], row["current"]) for row in shown] == [("other", False), ("work", True)]
    assert await tenant_of() == site.world.tenant_id
    gone = await person.types(["logout"])
    assert (gone.code, "work is forgotten" in gone.err) == (0, True)
    assert (await person.types(["users", "list"])).code == ExitCode.UNAUTHENTICATED
    assert (await person.types(["users", "list", "--profile", "work"])).code == ExitCode.USAGE
    assert await tenant_of("--profile", "other") == other.tenant_id
    for arguments in (["logout"], ["profiles", "--use", "work"]):
        assert (await person.types(arguments)).code == ExitCode.USAGE


async def test_a_key_of_another_tenant_takes_the_place_of_the_old_ones(site: Site, person: Person) -> None:
    other = await another_tenant(site.world)
    for key in (site.world.secret_key, site.world.publishable_key, site.world.master_key, other.secret_key):
        await person.types(["login", "--api-url", site.url], key)
    [shown] = rows((await person.types(["profiles"])).out)
    assert (shown["tenant_id"], shown["credentials"]) == (other.tenant_id, ["master_key", "secret_key"])


@pytest.mark.parametrize(
    ("arguments", "key", "code", "says"),
    [
        ([], "", ExitCode.USAGE, "This is no key"),
        ([], "sk_live_x", ExitCode.USAGE, "This is no key"),
        (["--api-url", "id.example.com"], "", ExitCode.USAGE, "is no address"),
        (["--api-url", "http://id.example.com"], "", ExitCode.USAGE, "in the clear: use https"),
        (["--api-url", "http://127.0.0.1:1"], None, ExitCode.UNREACHABLE, "Is a server running at http://127.0.0.1:1?"),
    ],
)
async def test_what_is_not_good_is_not_kept(
    site: Site, person: Person, arguments: list[str], key: str | None, code: ExitCode, says: str
) -> None:
    ended = await person.types(["login", *arguments], site.world.secret_key if key is None else key)
    assert (ended.code, says in ended.err) == (code, True), ended.err
    assert not person.home.exists()


async def test_a_revoked_key_is_not_kept(site: Site, person: Person) -> None:
    made = await site.world.make("/v1/api-keys", {"name": "short"})
    await site.world.send("DELETE", f"/v1/api-keys/{made['id']}")
    ended = await person.types(["login", "--api-url", site.url], made["key"])
    assert (ended.code, "invalid_api_key" in ended.err) == (ExitCode.UNAUTHENTICATED, True), ended.err
    assert made["key"] not in ended.err + ended.out
    assert not person.home.exists()


async def test_no_command_takes_a_key_or_password_as_an_argument(site: Site, person: Person) -> None:
    for arguments in (["login", site.world.secret_key], ["login", "--key", site.world.secret_key]):
        assert (await person.types(arguments)).code == ExitCode.USAGE
    for arguments in (["auth", "sign-in", "a@example.com", "--password", "x"], ["users", "list", "--secret-key", "x"]):
        assert (await person.types(arguments)).code == ExitCode.USAGE
