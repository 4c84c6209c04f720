"""`hj users import`: users from a file on the host, into the store itself."""

import os
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from hellojohn_server.cli.console import err, printable, show_fields, show_json
from hellojohn_server.cli.exits import CommandFailed, ExitCode
from hellojohn_server.cli.options import DatabaseUrlOption, DataDir, Json, checked, settings_with
from hellojohn_server.cli.parts import Tools, parts_of, use_tools
from hellojohn_server.cli.progress import Advance, progress
from hellojohn_server.features.imports.schemas import (
    SHAPES,
    CreateImportQuery,
    HashingQuery,
    ImportBody,
    ImportStatus,
)
from hellojohn_server.kit.routing import Upload
from hellojohn_server.kit.user_files.formats import UserFormat
from hellojohn_server.kit.user_files.rows import FileShape

app = typer.Typer()

_PART_BYTES: Final = 65_536
_KIB: Final = 1024
_SUFFIXES: Final = {
    ".csv": FileShape.CSV,
    ".json": FileShape.JSON,
    ".jsonl": FileShape.NDJSON,
    ".ndjson": FileShape.NDJSON,
}
_CONTENTS: Final = {shape: content for content, shape in SHAPES.items()}
_FIREBASE: Final = "Firebase's parameters of passwords"


def _firebase(flag: str, text: str) -> Any:
    return typer.Option(flag, help=text, rich_help_panel=_FIREBASE, show_default=False)


@app.command("import")
def import_users(  # noqa: PLR0913 - an option each
    ctx: typer.Context,
    *,
    file: Annotated[Path, typer.Argument(help="The file, of any length.", exists=True, dir_okay=False, readable=True)],
    tenant: Annotated[str, typer.Option("--tenant", help="The tenant's id.")],
    kind: Annotated[UserFormat, typer.Option("--format", help="Whose file it is.")] = UserFormat.HELLOJOHN,
    content: Annotated[
        FileShape | None, typer.Option("--content", help="What it is written in. Without: as its name ends.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and write no user.")] = False,
    report: Annotated[
        Path | None, typer.Option("--report", help="Where to write which rows were left out and why, as NDJSON.")
    ] = None,
    resume: Annotated[
        str | None, typer.Option("--resume", help="Go on with this import, which was interrupted: imp_01H...")
    ] = None,
    signer_key: Annotated[str | None, _firebase("--firebase-signer-key", "base64_signer_key")] = None,
    salt_separator: Annotated[str | None, _firebase("--firebase-salt-separator", "base64_salt_separator")] = None,
    rounds: Annotated[int | None, _firebase("--firebase-rounds", "rounds")] = None,
    memory_cost: Annotated[int | None, _firebase("--firebase-memory-cost", "mem_cost")] = None,
    as_json: Json = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrlOption = None,
) -> None:
    """Import users from a file of ours, or of another system."""
    shape = content or _SUFFIXES.get(file.suffix.lower())
    if shape is None:
        raise CommandFailed(ExitCode.USAGE, "Say with --content what the file is written in: ndjson, csv or json.")
    if resume is not None and dry_run:
        raise CommandFailed(ExitCode.USAGE, "Say either --resume or --dry-run: a trial does not go on.")
    hashing = {
        "firebase_signer_key": signer_key,
        "firebase_salt_separator": salt_separator,
        "firebase_rounds": rounds,
        "firebase_memory_cost": memory_cost,
    }
    given = {name: value for name, value in hashing.items() if value is not None}
    query = checked({**given, "format": kind, "dry_run": dry_run}, CreateImportQuery)
    settings = settings_with({"data_dir": data_dir, "database_url": database_url})

    async def run(tools: Tools) -> ImportBody:
        await tools.tenants.require_tenant(tenant)
        with progress("KiB", file.stat().st_size // _KIB) as advance:
            upload = Upload(_CONTENTS[shape], _parts(file, advance))
            context = tools.context(tenant)
            if resume is not None:
                made = await tools.imports.resume_import(context, resume, checked(given, HashingQuery), upload)
            else:
                made = await tools.imports.import_users(context, query, upload, None if dry_run else _say_begun)
        if report is not None:
            await _write_report(tools, tenant, made.id, report)
        return made

    _show(use_tools(parts_of(ctx), settings, run), as_json=as_json)


async def _parts(file: Path, advance: Advance) -> AsyncIterator[bytes]:
    with file.open("rb") as opened:
        read = 0
        while part := opened.read(_PART_BYTES):
            yield part
            advance((read + len(part)) // _KIB - read // _KIB)
            read += len(part)


def _say_begun(import_id: str) -> None:
    err.print(f"This is import {import_id}. If it is interrupted, go on with --resume {import_id}.", markup=False)


async def _write_report(tools: Tools, tenant_id: str, import_id: str, report: Path) -> None:
    """Write the report into a file that its owner alone reads; CommandFailed when it cannot be written."""
    try:
        with os.fdopen(os.open(report, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            async with aclosing(await tools.imports.report(tenant_id, import_id)) as lines:
                async for some in lines:
                    file.write(some)
    except OSError as error:
        raise CommandFailed(ExitCode.USAGE, f"{report} cannot be written: {error.strerror or error}.") from error


def _show(made: ImportBody, *, as_json: bool) -> None:
    if as_json:
        show_json(made)
    else:
        counts = ("rows", "imported", "duplicates", "refused")
        fields = [("id", made.id), ("status", made.status.value)]
        fields += [(name, f"{getattr(made, name):,}") for name in counts]
        show_fields("Trial" if made.dry_run else "Import", fields)
    if made.status is not ImportStatus.COMPLETED:
        stopped = made.stopped
        why = "" if stopped is None else f" at line {stopped.line}: {stopped.message}"
        raise CommandFailed(ExitCode.PARTLY, f"The file was not read to its end{printable(why)}")
    if made.refused:
        told = f"--report lists them, and GET /v1/admin/imports/{made.id}/report."
        raise CommandFailed(ExitCode.PARTLY, f"Rows that were refused: {made.refused:,}. {told}")
