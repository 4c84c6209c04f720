"""How a file becomes users: row by row, in batches that are transactions, each with how far the file has come."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from typing import Final

import msgspec

from hellojohn_server.features.audit.service import AuditLog
from hellojohn_server.features.imports import repository
from hellojohn_server.features.imports.errors import (
    ImportFileDiffers,
    ImportNotFound,
    ImportNotResumable,
    ImportTakenOver,
)
from hellojohn_server.features.imports.events import (
    import_completed,
    import_interrupted,
    import_resumed,
    import_started,
)
from hellojohn_server.features.imports.schemas import (
    SHAPES,
    Candidate,
    CreateImportQuery,
    HashingQuery,
    Import,
    ImportBody,
    Judging,
    ListImportsQuery,
    Outcome,
    RefusedRow,
    StopCode,
    candidate_of,
    decide,
    import_body,
    keys_of,
    moved_on,
)
from hellojohn_server.features.roles.service import RoleService
from hellojohn_server.features.user_loading.service import UserLoading
from hellojohn_server.features.users.errors import EmailBanned
from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.error_codes import ErrorCode
from hellojohn_server.kit.errors import ApiError, Invalid, PayloadTooLarge, Unavailable, UnsupportedMediaType
from hellojohn_server.kit.ids import IdFactory, IdPrefix, is_id
from hellojohn_server.kit.pagination import CursorCodec, Page, page_of
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.retention import IMPORT_MS
from hellojohn_server.kit.routing import Disconnected, Upload
from hellojohn_server.kit.scopes import Scope
from hellojohn_server.kit.times import END_OF_TIME_MS
from hellojohn_server.kit.user_files.formats import UserFile, is_taken
from hellojohn_server.kit.user_files.hashes import FirebaseHashing
from hellojohn_server.kit.user_files.rows import MalformedFile, Row
from hellojohn_server.storage.database import Database, Exempt, Reader, Transaction
from hellojohn_server.storage.errors import QueryTimeout, StoreBusy, UniqueViolation
from hellojohn_server.storage.scratch import ScratchSet

_FIRST_BATCH: Final = 50
_LARGEST_BATCH: Final = 1000
_BATCH_BYTES: Final = 1_048_576
_BATCH_SECONDS: Final = 0.025
"""How long a batch should take: others who write to the same file wait for it."""
_LONGEST_WAIT_SECONDS: Final = 1.0
"""How long rows wait for more to come, so that it is seen that an import goes on."""
_TURN: Final = 20
"""Rows that are read before others get a turn."""
_ATTEMPTS: Final = 5
_REPORT_ROWS: Final = 500
_PURGED_AT_A_TIME: Final = 500


class _Run:
    """One call that reads a file: the import as it was last written, and what is read of the file since."""

    def __init__(self, context: Context, one: Import, file: UserFile) -> None:
        self.context = context
        self.one = one
        self.file = file
        self.rows: list[Row] = []
        self.size = _FIRST_BATCH
        self._bytes = 0
        self.seen = ScratchSet() if one.dry_run else None
        self._begun_at = one.position
        self._is_same = not one.position

    def take(self, row: Row) -> None:
        """Keep a row to be applied, or pass over one that was; ImportFileDiffers as require_same."""
        if row.end > self._begun_at:
            self.require_same()
            self.rows.append(row)
            self._bytes += len(row.text)
        elif row.end == self._begun_at:
            self._is_same = row.digest == self.one.digest

    @property
    def is_full(self) -> bool:
        """Whether the rows are enough for a batch."""
        return len(self.rows) >= self.size or self._bytes >= _BATCH_BYTES

    def drain(self) -> list[Row]:
        """Return the rows of a batch, and begin another."""
        rows, self.rows, self._bytes = self.rows, [], 0
        return rows

    def require_same(self) -> None:
        """Raise ImportFileDiffers unless the file begins with what was applied."""
        if not self._is_same:
            raise ImportFileDiffers

    def close(self) -> None:
        """Let go of what was seen."""
        if self.seen is not None:
            self.seen.close()

    def adapt(self, seconds: float) -> None:
        """Have the next batch take about as long as one should."""
        wanted = self.size * _BATCH_SECONDS / max(seconds, 0.001)
        self.size = round(min(_LARGEST_BATCH, max(10, min(2 * self.size, wanted))))


class ImportService:
    """Imports of one tenant at a time: the tenant is the caller's."""

    def __init__(  # noqa: PLR0913 - what it takes, each by name
        self,
        db: Database,
        ids: IdFactory,
        clock: Clock,
        audit: AuditLog,
        *,
        roles: RoleService,
        loading: UserLoading,
        cursors: CursorCodec,
    ) -> None:
        self._db = db
        self._ids = ids
        self._clock = clock
        self._audit = audit
        self._roles = roles
        self._loading = loading
        self._cursors = cursors

    async def import_users(
        self, context: Context, query: CreateImportQuery, upload: Upload, tell: Callable[[str], None] | None = None
    ) -> ImportBody:
        """Read a file to its end, or as far as it goes, and return what became of it. `tell` is told its id before.

        UnsupportedMediaType for a form that the format has not. A file that breaks off, or is none, leaves the import
        interrupted. Each batch is a transaction of its own: what is read stays read whatever comes after it.
        """
        if not is_taken(query.format, SHAPES[upload.content]):
            raise UnsupportedMediaType("This system writes no files of that kind.")
        now = self._clock.now_ms()
        one = Import(
            id=self._ids.new(IdPrefix.IMPORT),
            format=query.format,
            content=upload.content,
            dry_run=query.dry_run,
            run=1,
            row_count=0,
            imported=0,
            duplicates=0,
            refused=0,
            position=0,
            line=0,
            digest=None,
            stopped_code=None,
            stopped_line=None,
            stopped_message=None,
            created_at=now,
            created_by=context.principal.id,
            progress_at=now,
            completed_at=None,
            purge_at=now + IMPORT_MS,
        )

        async def begin(tx: Transaction) -> None:
            await repository.insert_import(tx, one)
            await self._audit.record(tx, context, import_started(one))
            tx.mark_due(one.purge_at)

        await self._db.write(context.tenant_id, begin, type(None))
        if tell is not None:
            tell(one.id)
        return await self._read(context, one, query.hashing(), upload.parts)

    async def resume_import(self, context: Context, import_id: str, query: HashingQuery, upload: Upload) -> ImportBody:
        """Go on with an interrupted import: the same file again from its beginning, of which what was read is passed.

        ImportNotFound; ImportNotResumable; ImportFileDiffers. Whoever was reading still ends with ImportTakenOver.
        """
        now = self._clock.now_ms()
        before = await self._require(context.tenant_id, import_id)
        if before.content != upload.content:
            raise ImportFileDiffers

        async def claim(tx: Transaction) -> Import:
            claimed = await repository.claim_import(tx, import_id, now)
            if claimed is None:
                raise ImportNotResumable
            await self._audit.record(tx, context, import_resumed(claimed))
            return claimed

        one = await self._db.write(context.tenant_id, claim, Import)
        return await self._read(context, one, query.hashing(), upload.parts)

    async def get_import(self, tenant_id: str, import_id: str) -> ImportBody:
        """Return what is shown of an import now; ImportNotFound."""
        return import_body(await self._require(tenant_id, import_id), self._clock.now_ms())

    async def list_imports(self, tenant_id: str, query: ListImportsQuery) -> Page[ImportBody]:
        """Return a page of imports, newest first. InvalidCursor."""
        after = None
        if query.cursor is not None:
            after = str(self._cursors.decode(tenant_id, ("imports",), query.cursor)[0])

        async def read(reader: Reader) -> Page[ImportBody]:
            total, found = await repository.list_imports(reader, query.limit + 1, after)
            rows = [import_body(one, self._clock.now_ms()) for one in found[: query.limit]]
            following = None
            if len(found) > query.limit:
                following = self._cursors.encode(tenant_id, ("imports",), (rows[-1].id,))
            return page_of(rows, query.limit, total, following, capped=True)

        return await self._db.read(tenant_id, read)

    async def report(self, tenant_id: str, import_id: str) -> AsyncGenerator[bytes, None]:
        """Return the lines of the report: a RefusedRow in JSON for each row that made no user. ImportNotFound."""
        one = await self._require(tenant_id, import_id)
        return self._lines(tenant_id, one.id)

    async def list_refused_rows(self, tenant_id: str, import_id: str, after: int) -> list[RefusedRow]:
        """Return the next rows that made no user, those numbered beyond `after`; none at the end."""

        async def read(reader: Reader) -> list[RefusedRow]:
            return await repository.list_refused_rows(reader, import_id, after, _REPORT_ROWS)

        return await self._db.read(tenant_id, read)

    async def purge(self, tenant_id: str, now_ms: int) -> None:
        """Forget imports that are kept no longer, with their reports."""

        async def purge_some(tx: Transaction) -> int:
            return await repository.delete_due(tx, now_ms, _PURGED_AT_A_TIME)

        async def first_due(reader: Reader) -> int | None:
            return await repository.get_next_purge(reader, now_ms)

        while await self._db.read(tenant_id, first_due) is not None:
            await self._db.write(tenant_id, purge_some, int, exempt=Exempt.HOUSEKEEPING)

    async def get_next_purge(self, reader: Reader) -> int | None:
        """Return when the next import is to be forgotten."""
        return await repository.get_next_purge(reader, END_OF_TIME_MS)

    async def _lines(self, tenant_id: str, import_id: str) -> AsyncGenerator[bytes, None]:
        after = 0
        while rows := await self.list_refused_rows(tenant_id, import_id, after):
            yield b"".join(msgspec.json.encode(row) + b"\n" for row in rows)
            after = rows[-1].row

    async def _require(self, tenant_id: str, import_id: str) -> Import:
        async def read(reader: Reader) -> Import | None:
            return await repository.get_import(reader, import_id)

        found = await self._db.read(tenant_id, read) if is_id(import_id, IdPrefix.IMPORT) else None
        if found is None:
            raise ImportNotFound
        return found

    async def _read(
        self, context: Context, one: Import, hashing: FirebaseHashing | None, parts: AsyncIterator[bytes]
    ) -> ImportBody:
        """Read the file, and write down why if it stops before its end."""
        run = _Run(context, one, UserFile(one.format, SHAPES[one.content], hashing))
        try:
            try:
                await self._read_all(run, parts)
            except (MalformedFile, PayloadTooLarge):
                await self._apply(run)
                raise
        except MalformedFile as bad:
            await self._stop(run, StopCode.MALFORMED_FILE.value, bad.line, bad.message)
        except PayloadTooLarge as large:
            await self._stop(run, large.code.value, None, large.message)
        except ImportTakenOver:
            raise
        except BaseException as error:
            await self._stop(run, _code_of(error), None, None)
            raise
        finally:
            run.close()
        return import_body(run.one, self._clock.now_ms())

    async def _read_all(self, run: _Run, parts: AsyncIterator[bytes]) -> None:
        applied = time.monotonic()
        async for part in parts:
            for row in run.file.feed(part):
                run.take(row)
                if run.is_full:
                    await self._apply(run)
                    applied = time.monotonic()
            if run.rows and time.monotonic() - applied > _LONGEST_WAIT_SECONDS:
                await self._apply(run)
                applied = time.monotonic()
        for row in run.file.finish():
            run.take(row)
        run.require_same()
        await self._apply(run)
        await self._complete(run)

    async def _apply(self, run: _Run) -> None:
        """Apply the rows that were read: a transaction, tried again when others took something or were in the way."""
        rows = run.drain()
        if not rows:
            return
        candidates = await self._candidates(run, rows)
        outcome = await self._foresee(run, candidates) if run.seen is not None else None
        for left in reversed(range(_ATTEMPTS)):
            started = time.perf_counter()
            try:
                run.one = await self._write(run, candidates, outcome)
            except (UniqueViolation, EmailBanned, Invalid, QueryTimeout, StoreBusy):
                if not left:
                    raise
            else:
                run.adapt(time.perf_counter() - started)
                return

    async def _write(self, run: _Run, candidates: Sequence[Candidate], foreseen: Outcome | None) -> Import:
        """Insert the users of a batch, and how far the file has come with them; `foreseen`: of a trial, what comes."""
        context = run.context

        async def command(tx: Transaction) -> Import:
            outcome = foreseen
            if outcome is None:
                outcome = await self._decide(tx, run, candidates)
                users = [one.user for one in outcome.accepted if one.user is not None]
                hashes = {
                    one.user.id: one.password_hash
                    for one in outcome.accepted
                    if one.user is not None and one.password_hash is not None
                }
                if users:
                    await self._loading.insert_users(tx, context, users, hashes, {"import_id": run.one.id})
            await repository.insert_refused_rows(tx, run.one.id, outcome.refused)
            moved = moved_on(run.one, candidates, outcome, self._clock.now_ms())
            if not await repository.update_progress(tx, moved):
                raise ImportTakenOver
            return moved

        return await self._db.write(context.tenant_id, command, Import)

    async def _foresee(self, run: _Run, candidates: Sequence[Candidate]) -> Outcome:
        """Return what would become of the rows, and remember whom they would make."""

        async def read(reader: Reader) -> Outcome:
            return await self._decide(reader, run, candidates)

        outcome = await self._db.read(run.context.tenant_id, read)
        if run.seen is not None:
            run.seen.add(key for one in outcome.accepted if one.user is not None for key in keys_of(one.user))
        return outcome

    async def _decide(self, reader: Reader, run: _Run, candidates: Sequence[Candidate]) -> Outcome:
        """Say which of the rows make users: those that are sound, take nothing that is taken, and may have their role.

        Of several rows that want the same, the first has it.
        """
        users = [one.user for one in candidates if one.user is not None]
        taken = await self._loading.list_taken(reader, users)
        privileges = await self._roles.list_privileges(reader, sorted({user.role for user in users}))
        may_manage = run.context.principal.may(Scope.ADMINS_MANAGE)
        keys = [key for user in users for key in keys_of(user)]
        given = set[str]() if run.seen is None else run.seen.known(keys)
        return decide(candidates, Judging(taken, privileges, given, run.file, may_manage=may_manage))

    async def _candidates(self, run: _Run, rows: Sequence[Row]) -> list[Candidate]:
        """Return what each row is read as. Others get a turn now and then."""
        now, made = self._clock.now_ms(), list[Candidate]()
        for number, row in enumerate(rows):
            if number % _TURN == 0:
                await asyncio.sleep(0)
            made.append(candidate_of(run.file, row, self._ids.new(IdPrefix.USER), run.context.principal.id, now))
        return made

    async def _complete(self, run: _Run) -> None:
        now = self._clock.now_ms()
        ended = msgspec.structs.replace(run.one, progress_at=now, completed_at=now, digest=None)

        async def command(tx: Transaction) -> None:
            if not await repository.update_ended(tx, ended):
                raise ImportTakenOver
            await self._audit.record(tx, run.context, import_completed(ended))

        await self._db.write(run.context.tenant_id, command, type(None))
        run.one = ended

    async def _stop(self, run: _Run, code: str, line: int | None, message: str | None) -> None:
        """Write down that an import stopped. Where that fails too, it is seen from its silence (SILENT_MS)."""
        stopped = msgspec.structs.replace(
            run.one,
            progress_at=self._clock.now_ms(),
            stopped_code=code,
            stopped_line=line,
            stopped_message=message,
        )

        async def command(tx: Transaction) -> None:
            if not await repository.update_ended(tx, stopped):
                raise ImportTakenOver
            await self._audit.record(tx, run.context, import_interrupted(stopped))

        with contextlib.suppress(ImportTakenOver, Unavailable):
            await self._db.write(run.context.tenant_id, command, type(None))
        run.one = stopped


def _code_of(error: BaseException) -> str:
    """Return why a file was not read to its end."""
    if isinstance(error, ApiError):
        return error.code.value
    if isinstance(error, Disconnected | asyncio.CancelledError | KeyboardInterrupt):
        return StopCode.CONNECTION_LOST.value
    return ErrorCode.INTERNAL_ERROR.value
