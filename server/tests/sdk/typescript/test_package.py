"""The archive holds what it should, and is used from ES modules, CommonJS and TypeScript with nothing beside it."""

import json
import re
import tarfile
from pathlib import Path

import pytest

from tests.sdk.typescript.packages import SOURCE, Application, Failed, installed

ENTRIES = ("", "/express", "/hono", "/verify")
BY_IMPORT = """
import Default, { ApiError, HelloJohn, NotFoundError, RowStream, VERSION } from "@hellojohn/node";
const hj = new Default({ secretKey: "sk_test_x" });
console.log(JSON.stringify([Default === HelloJohn, hj instanceof HelloJohn, NotFoundError.prototype instanceof ApiError,
  hj.users.exportAll() instanceof RowStream, VERSION]));
"""
BY_REQUIRE = """
const { default: Default, ApiError, HelloJohn, NotFoundError, RowStream, VERSION } = require("@hellojohn/node");
const hj = new Default({ secretKey: "sk_test_x" });
console.log(JSON.stringify([Default === HelloJohn, hj instanceof HelloJohn, NotFoundError.prototype instanceof ApiError,
  hj.users.exportAll() instanceof RowStream, VERSION]));
"""
TYPED = """
import HelloJohn, { NotFoundError, type User } from "@hellojohn/node";

export async function nameOf(id: string): Promise<string | null> {
  const hj = new HelloJohn({ secretKey: "sk_test_x" });
  try {
    const user: User = await hj.users.get(id);
    return user.name;
  } catch (error) {
    if (error instanceof NotFoundError) return error.request_id;
    throw error;
  }
}
"""
WRONG = """
import HelloJohn from "@hellojohn/node";

const hj = new HelloJohn({ secretKey: "sk_test_x" });
await hj.users.list({ colour: "blue" });
"""


SECRETIVE = """
import { inspect } from "node:util";
import HelloJohn from "@hellojohn/node";
import { Verifier } from "@hellojohn/node/verify";
const hj = new HelloJohn({ secretKey: "sk_test_hidden" });
const verifier = new Verifier({ tenantId: "t", secretKey: "sk_hidden" });
const shown = [hj, hj.users, hj.withOptions({ accessToken: "hidden" }), verifier];
console.log(inspect(shown, { depth: 9 }), JSON.stringify(shown));
"""


@pytest.fixture
def bare(archive: Path, tmp_path: Path) -> Application:
    """An application in a clean directory that has nothing else."""
    return installed(archive, tmp_path / "bare")


def test_the_archive_holds_what_is_built_and_nothing_else(archive: Path) -> None:
    with tarfile.open(archive) as opened:
        names = [name.removeprefix("package/") for name in opened.getnames()]
    assert {name for name in names if not name.startswith("dist/")} == {"LICENSE", "README.md", "package.json"}
    assert {re.sub(r"^dist/(esm|cjs)/.*\.(d\.ts|js)$", "", name) for name in names if name.startswith("dist/")} == {
        "",
        "dist/esm/package.json",
        "dist/cjs/package.json",
    }


def test_it_depends_on_nothing_and_says_its_version(bare: Application) -> None:
    [lock] = (bare.directory / "node_modules").glob(".package-lock.json")
    assert list(json.loads(lock.read_text(encoding="utf-8"))["packages"]) == ["node_modules/@hellojohn/node"]
    described = json.loads((SOURCE / "package.json").read_text(encoding="utf-8"))
    assert "dependencies" not in described
    assert f'"{described["version"]}"' in (SOURCE / "src/version.ts").read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "text"), [("used.mjs", BY_IMPORT), ("used.cjs", BY_REQUIRE)])
def test_it_is_used_from_both_kinds_of_module(bare: Application, name: str, text: str) -> None:
    bare.add(name, text)
    assert json.loads(bare.run(name)) == [True, True, True, True, "0.1.0"]


@pytest.mark.parametrize("entry", ENTRIES)
def test_every_entry_is_there_for_both(bare: Application, entry: str) -> None:
    bare.add("entry.mjs", f'console.log(Object.keys(await import("@hellojohn/node{entry}")).sort().join());')
    bare.add("entry.cjs", f'console.log(Object.keys(require("@hellojohn/node{entry}")).sort().join());')
    by_import, by_require = (set(bare.run(name).strip().split(",")) for name in ("entry.mjs", "entry.cjs"))
    assert by_import == by_require
    assert by_import


@pytest.mark.parametrize(
    ("name", "module", "resolution"),
    [
        ("typed.ts", "nodenext", "nodenext"),
        ("typed.mts", "node16", "node16"),
        ("typed.cts", "node16", "node16"),
        ("typed.ts", "esnext", "bundler"),
        ("typed.ts", "commonjs", "bundler"),
    ],
)
def test_it_is_typed_for_every_way_of_resolving(
    application: Application, name: str, module: str, resolution: str
) -> None:
    application.add(name, TYPED)
    application.compile(name, module=module, resolution=resolution)


def test_a_parameter_that_does_not_exist_does_not_compile(application: Application) -> None:
    application.add("wrong.ts", WRONG)
    with pytest.raises(Failed, match="'colour' does not exist in type 'ListUsersParams'"):
        application.compile("wrong.ts")


def test_it_asks_for_no_module_of_node() -> None:
    imported = {
        name
        for path in (SOURCE / "src").rglob("*.ts")
        for name in re.findall(r'(?:from|import|require)\s*\(?\s*"([^".][^"]*)"', path.read_text(encoding="utf-8"))
    }
    assert imported <= {"@hellojohn/node", "hono"}


def test_whoever_logs_a_client_logs_no_key(bare: Application) -> None:
    bare.add("secretive.mjs", SECRETIVE)
    printed = bare.run("secretive.mjs")
    assert "HelloJohn" in printed
    assert "hidden" not in printed
