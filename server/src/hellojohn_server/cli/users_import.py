"""`hj users import`: users from a file, into the store itself or over HTTP."""

import os
from collections.abc import AsyncIterator, Generator
from contextlib import aclosing, contextmanager
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Final

import msgspec
import typer

from hellojohn_server.cli.console import err, printable, show_fields, show_json
from hellojohn_server.cli.exits import CommandFailed, ExitCode
from hellojohn_server.cli.lazy import load
from hellojohn_server.cli.options import DatabaseUrlOption, DataDir, Json, checked, is_on_store, settings_with
from hellojohn_server.cli.parts import Tools, parts_of, use_tools
from hellojohn_server.cli.progress import Advance, progress
from hellojohn_server.cli.remote.access import ProfileOption
from hellojohn_server.features.imports.schemas import (
    SHAPES,
    CreateImportQuery,
    HashingQuery,
    ImportBody,
    ImportStatus,
)
from hellojohn_server.kit.routing import Content, Upload
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
    tenant: Annotated[str | None, typer.Option("--tenant", help="The tenant's id, on the store.")] = None,
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
    profile: ProfileOption = None,
) -> None:
    """Import users from a file of ours, or of another system.

    Into the store if that is named, else over HTTP, where the secret key says which tenant it is.
    """
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
    wish = _Wish(file, _CONTENTS[shape], query, given, report, resume)
    if is_on_store(data_dir, database_url, profile):
        if tenant is None:
            raise CommandFailed(ExitCode.USAGE, "Name the tenant with --tenant.")
        settings = settings_with({"data_dir": data_dir, "database_url": database_url})
        made = use_tools(parts_of(ctx), settings, lambda tools: _into_store(tools, tenant, wish))
    elif tenant is not None:
        raise CommandFailed(ExitCode.USAGE, "--tenant goes with a store: name that, or leave out --tenant.")
    else:
        made = _over_http(profile, wish)
    _show(made, as_json=as_json)


class _Wish(msgspec.Struct, frozen=True):
    """What is to be imported: the file, what it is written in, how it is read, and where its report goes."""

    file: Path
    content: Content
    query: CreateImportQuery
    hashing: dict[str, Any]
    report: Path | None
    resume: str | None


async def _into_store(tools: Tools, tenant: str, wish: _Wish) -> ImportBody:
    await tools.tenants.require_tenant(tenant)
    with progress("KiB", wish.file.stat().st_size // _KIB) as advance:
        upload = Upload(wish.content, _parts(wish.file, advance))
        context = tools.context(tenant)
        if wish.resume is not None:
            hashing = checked(wish.hashing, HashingQuery)
            made = await tools.imports.resume_import(context, wish.resume, hashing, upload)
        else:
            begun = None if wish.query.dry_run else _say_begun
            made = await tools.imports.import_users(context, wish.query, upload, begun)
    if wish.report is not None:
        await _write_report(tools, tenant, made.id, wish.report)
    return made


def _over_http(profile: str | None, wish: _Wish) -> ImportBody:
    over_http = load("twins")
    named = wish.hashing
    if wish.resume is None:
        named = {**named, "format": wish.query.format.value, "dry_run": wish.query.dry_run}
    made: ImportBody = over_http.import_users(profile, wish.file, wish.content, named, resume=wish.resume)
    if wish.report is not None:
        with _report_file(wish.report) as opened:
            over_http.write_report(profile, made.id, opened.write)
    return made


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
    with _report_file(report) as file:
        async with aclosing(await tools.imports.report(tenant_id, import_id)) as lines:
            async for some in lines:
                file.write(some)


@contextmanager
def _report_file(report: Path) -> Generator[BinaryIO]:
    """Open a file for a report, which its owner alone reads; CommandFailed when it cannot be written."""
    try:
        with os.fdopen(os.open(report, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            yield file
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
