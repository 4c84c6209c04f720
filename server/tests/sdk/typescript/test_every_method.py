"""Each typed method, called on a live server, is the operation that it is for."""

import re
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import msgspec

from tests.sdk.typescript.drivers import driving
from tests.sdk.typescript.packages import Application
from tests.sdk.typescript.recorder import Site
from tests.walk.account_acts import EVERY_ACT
from tests.walk.acts import Call
from tests.walk.world import World, another_tenant
from tools.sdk.__main__ import ROOT
from tools.sdk.model import Operation
from tools.sdk.reading import read_model
from tools.sdk.typescript_text import camel

OPERATIONS: Final = {operation.id: operation for operation in read_model(ROOT / "sdk").operations()}


def arguments_of(operation: Operation, call: Call) -> list[Any]:
    """Return what the method is given so that it sends this request."""
    parts = urlsplit(call.path)
    pattern = re.sub(r"\\\{\w+\\\}", "([^/]+)", re.escape(operation.path))
    match = re.fullmatch(pattern, parts.path)
    assert match is not None, (operation.path, parts.path)
    given: list[Any] = [*match.groups()]
    params: dict[str, Any] = dict(parse_qsl(parts.query))
    if operation.uploads:
        given.append(msgspec.json.encode(call.body).decode())
        params["content_type"] = "application/json"
    elif call.body is not None:
        params |= call.body
    return [*given, params] if params else given


def options_of(operation: Operation, call: Call, site: Site, world: World) -> dict[str, Any]:
    """Return the options of a client that has the credential which the operation takes, and no other."""
    options: dict[str, Any] = {"baseURL": site.url, "maxRetries": 0}
    if operation.credential is not None:
        own = world.master_key if call.by_master else call.credential or world.secret_key
        options[operation.credential] = own
    return options


async def test_each_method_sends_the_operation_that_it_is_for(application: Application, site: Site) -> None:
    assert EVERY_ACT.keys() == OPERATIONS.keys()
    async with driving(application) as driver:
        for name, act in EVERY_ACT.items():
            operation = OPERATIONS[name]
            world = await another_tenant(site.world, name)
            await world.mails()  # those of the tenants before it, so that the last mail will be this one's
            call = await act(world)
            site.recorder.seen.clear()

            method = ".".join(camel(part) for part in operation.method_path)
            said = await driver.call(options_of(operation, call, site, world), method, arguments_of(operation, call))

            assert "error" not in said, (name, said)
            [seen] = site.recorder.seen
            assert seen.is_of(operation), (name, seen)
            assert 200 <= seen.status < 300, (name, seen)


def test_the_tree_has_a_method_for_every_operation_and_no_other(application: Application) -> None:
    methods = [".".join(camel(part) for part in operation.method_path) for operation in OPERATIONS.values()]
    application.add("tree.ts", TREE)
    assert sorted(application.run("tree.ts").split()) == sorted(methods)


TREE: Final = """
import HelloJohn from "@hellojohn/node";

function methodsOf(resource: object, path: string): string[] {
  const own = Object.getOwnPropertyNames(Object.getPrototypeOf(resource)).filter((name) => name !== "constructor");
  const below = Object.entries(resource).filter(([name, value]) => name !== "transport" && typeof value === "object");
  return [...own.map((name) => path + name), ...below.flatMap(([name, value]) => methodsOf(value, `${path}${name}.`))];
}

const methods = Object.entries(new HelloJohn()).flatMap(([name, value]) =>
  name === "transport" ? [] : methodsOf(value, `${name}.`),
);
console.log(methods.join("\\n"));
"""
