"""`hj openapi`: the contract of the HTTP API, for generators and other tools. It needs neither a store nor a server."""

import json
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from hellojohn_server.cli.console import out
from hellojohn_server.cli.exits import CommandFailed, ExitCode
from hellojohn_server.cli.parts import parts_of

app = typer.Typer()

PUBLIC_URL: Final = "https://api.hellojohn.dev"
"""The server that the document names: where the SDKs call unless told otherwise."""


@app.command("openapi")
def openapi(
    ctx: typer.Context,
    *,
    output: Annotated[Path | None, typer.Option("--output", help="Write to this file, not to standard output.")] = None,
) -> None:
    """Print the OpenAPI document of the HTTP API, in an order that does not change from one release to the next."""
    text = document_text(parts_of(ctx).make_document(PUBLIC_URL))
    if output is None:
        out.out(text, end="")
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandFailed(ExitCode.USAGE, f"--output: {output} cannot be written: {error.strerror}.") from error


def document_text(document: dict[str, Any]) -> str:
    """Return the text of a document: paths and components sorted by name, the fields of each in their own order."""
    components = {kind: _sorted(named) for kind, named in document["components"].items()}
    ordered = {**document, "tags": sorted(document["tags"], key=lambda tag: str(tag["name"]))}
    ordered |= {"paths": _sorted(document["paths"]), "components": components}
    return json.dumps(ordered, indent=1, ensure_ascii=False) + "\n"


def _sorted(named: dict[str, Any]) -> dict[str, Any]:
    return {name: named[name] for name in sorted(named)}
