"""The programs of the guide compile, each with what its reader has by then."""

import re
from pathlib import Path
from typing import Final

from tests.sdk.typescript.packages import SOURCE, Application

GUIDE: Final = SOURCE.parents[1] / "docs" / "typescript-sdk.md"
BLOCK: Final = re.compile(r"^```ts\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HAD: Final = {
    "app": 'declare const app: import("express").Express;',
    "email": "declare const email: string;",
    "hj": 'declare const hj: import("@hellojohn/node").HelloJohn;',
    "pay": 'declare const pay: import("express").Handler;',
    "reports": 'declare const reports: import("express").Handler;',
    "token": "declare const token: string;",
    "verifier": 'declare const verifier: import("@hellojohn/node/verify").Verifier;',
}
"""What stands in a block without being made there."""


def programs(page: Path) -> dict[str, str]:
    """Return each block of a page as a module, by a name for its file."""
    blocks = BLOCK.findall(page.read_text(encoding="utf-8"))
    return {f"{page.stem}-{number}.ts": _whole(block) for number, block in enumerate(blocks)}


def _whole(block: str) -> str:
    missing = [line for name, line in HAD.items() if re.search(rf"\b{name}\b", block) and f"const {name} " not in block]
    return "\n".join([*missing, block, "export {};", ""])


def test_every_program_of_the_guide_compiles_under_strict(application: Application) -> None:
    files = {**programs(GUIDE), **programs(SOURCE / "README.md")}
    assert len(files) >= 7
    for name, text in files.items():
        application.add(name, text)
    application.compile(*files)


def test_the_guide_names_every_resource_and_every_class_of_errors() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    errors = re.findall(r"export class (\w+)", (SOURCE / "src/errors.ts").read_text(encoding="utf-8"))
    resources = re.findall(r"  readonly (\w+):", (SOURCE / "src/resources/index.ts").read_text(encoding="utf-8"))
    assert len(errors) > 15
    assert [name for name in (*errors, *resources) if f"`{name}`" not in text] == []
