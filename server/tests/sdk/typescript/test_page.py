"""The program that ends the specification page: it compiles as it is printed there, and does what it says."""

import json
from typing import Any, Final

import jwt
import pytest

from tests.cli.page import sections
from tests.sdk.typescript.packages import Application
from tests.sdk.typescript.recorder import Site
from tests.walk.world import World

PAGE: Final = sections()["TypeScript Admin Client Pattern"].strip() + "\n"
"""The block as the page has it, from its import to its last line."""
FUNCTIONS: Final = "\nexport { findUser, impersonateUser, suspendUser };\n"
"""What makes them reachable for another file."""
CALLS: Final = """
import HelloJohn from "@hellojohn/node";

import { findUser, impersonateUser, suspendUser } from "./page.ts";

const [, , email, reason] = process.argv;
const user = await findUser(email!);
const nobody = await findUser("nobody@example.com");
const token = await impersonateUser(user!.id, reason!);
const seen = await new HelloJohn({ accessToken: token }).auth.me.get();
await suspendUser(user!.id, reason!);
console.log(JSON.stringify({ user, nobody, token, seen }));
"""
RESOLUTIONS: Final = [("nodenext", "nodenext"), ("node16", "node16"), ("esnext", "bundler")]
PASSWORD: Final = "correct horse battery"
REASON: Final = "Chargeback — ticket #8842"


@pytest.fixture
def page(application: Application) -> Application:
    """An application that has the page's program, and a file that calls its three functions."""
    application.add("block.ts", PAGE)
    application.add("page.ts", PAGE + FUNCTIONS)
    application.add("calls.ts", CALLS)
    return application


def test_the_block_is_the_whole_program() -> None:
    assert PAGE.startswith('import HelloJohn from "@hellojohn/node";\n')
    assert PAGE.endswith("  return access_token;\n}\n")
    assert [name in PAGE for name in ("findUser", "suspendUser", "impersonateUser")] == [True] * 3


@pytest.mark.parametrize(("module", "resolution"), RESOLUTIONS)
def test_it_compiles_under_strict_as_it_is_printed(page: Application, module: str, resolution: str) -> None:
    page.compile("block.ts", "page.ts", "calls.ts", module=module, resolution=resolution)


async def sign_in(world: World, email: str) -> tuple[int, Any]:
    answer = await world.send(
        "POST", "/v1/auth/sign-in", {"email": email, "password": PASSWORD}, key=world.publishable_key
    )
    return answer.status_code, answer.json()


async def status_of_me(world: World, token: str) -> tuple[int, str]:
    answer = await world.send("GET", "/v1/auth/me", key=token)
    return answer.status_code, answer.json().get("error", {}).get("code", "")


async def listed(world: World, path: str) -> list[dict[str, Any]]:
    answer = await world.send("GET", path)
    assert answer.status_code == 200, answer.text
    data: list[dict[str, Any]] = answer.json()["data"]
    return data


async def test_it_does_what_it_says(page: Application, site: Site) -> None:
    world = site.world
    alice = await world.make("/v1/users", {"email": "Alice@example.com", "password": PASSWORD})
    _, signed_in = await sign_in(world, "alice@example.com")
    access = signed_in["session"]["access_token"]
    assert await status_of_me(world, access) == (200, "")

    printed = json.loads(await site.run(page, "calls.ts", "alice@example.com", REASON))

    # findUser: the user with this address, or null
    assert (printed["user"]["id"], printed["user"]["email"]) == (alice["id"], "Alice@example.com")
    assert (printed["user"]["disabled"], printed["nobody"]) == (False, None)
    # impersonateUser: a token that is the user's as long as the user has access
    claims = jwt.decode(printed["token"], options={"verify_signature": False})
    assert (claims["sub"], claims["act"]["sub"]) == (alice["id"], world.secret_key_id)
    assert (claims["impersonated"], claims["exp"] - claims["iat"]) == (True, 3600)
    assert printed["seen"]["id"] == alice["id"]
    [begun] = await listed(world, "/v1/audit-logs?type=user.impersonated")
    assert (begun["on_behalf_of"]["id"], begun["reason"]) == (alice["id"], REASON)
    # suspendUser: disabled, every session ended, and an entry of the application's own
    assert (await world.send("GET", f"/v1/users/{alice['id']}")).json()["disabled"] is True
    assert (await sign_in(world, "alice@example.com"))[1]["error"]["code"] == "account_disabled"
    assert [(await status_of_me(world, token))[0] for token in (access, printed["token"])] == [401, 401]
    assert await listed(world, f"/v1/users/{alice['id']}/sessions") == []
    [entry] = await listed(world, "/v1/audit-logs?type=user.suspended")
    assert (entry["source"], entry["actor"]["id"]) == ("custom", world.secret_key_id)
    assert entry["resource"]["id"] == alice["id"]
    assert entry["metadata"] == {"reason": REASON, "claimed_actor": "admin"}
