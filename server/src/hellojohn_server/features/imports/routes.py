"""Import of users: /v1/admin/imports."""

from hellojohn_server.features.imports.errors import (
    ImportFileDiffers,
    ImportNotFound,
    ImportNotResumable,
    ImportTakenOver,
)
from hellojohn_server.features.imports.schemas import (
    CreateImportQuery,
    HashingQuery,
    ImportBody,
    ImportListBody,
    ListImportsQuery,
    RefusedRow,
)
from hellojohn_server.features.imports.service import ImportService
from hellojohn_server.kit.pagination import InvalidCursor
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.rate_limits import Limit
from hellojohn_server.kit.routing import Answer, Content, Method, Parts, Replay, Upload, route
from hellojohn_server.kit.scopes import Scope

_FILES = (Content.NDJSON, Content.CSV, Content.JSON)


class ImportRoutes:
    """Imports."""

    def __init__(self, imports: ImportService) -> None:
        self._imports = imports

    @route(
        Method.POST,
        "/v1/admin/imports",
        scope=Scope.USERS_WRITE,
        status=201,
        errors=(ImportTakenOver,),
        replay=Replay.REFUSED,
        limit=Limit.BULK,
        conditional_scopes=(Scope.ADMINS_MANAGE,),
        uploads=_FILES,
    )
    async def create_import(self, context: Context, query: CreateImportQuery, upload: Upload) -> Answer[ImportBody]:
        """Import users from a file.

        The body is the file, of any length. Rows are applied in batches while they come in, and the answer comes when
        the file has ended. A row that is wrong, or whose address, username, id or external id is taken, is left out
        and listed in the report. A file that breaks off leaves the import interrupted: it can go on.
        """
        made = await self._imports.import_users(context, query, upload)
        return Answer(made, location=f"/v1/admin/imports/{made.id}")

    @route(Method.GET, "/v1/admin/imports", scope=Scope.USERS_READ, errors=(InvalidCursor,))
    async def list_imports(self, context: Context, query: ListImportsQuery) -> Answer[ImportListBody]:
        """List the imports of the last thirty days, newest first."""
        page = await self._imports.list_imports(context.tenant_id, query)
        return Answer(ImportListBody(page.rows, page.pagination))

    @route(Method.GET, "/v1/admin/imports/{import_id}", scope=Scope.USERS_READ, errors=(ImportNotFound,))
    async def get_import(self, context: Context, import_id: str) -> Answer[ImportBody]:
        """Get an import: how far it is, and what came of it."""
        return Answer(await self._imports.get_import(context.tenant_id, import_id))

    @route(
        Method.POST,
        "/v1/admin/imports/{import_id}/resume",
        scope=Scope.USERS_WRITE,
        errors=(ImportFileDiffers, ImportNotFound, ImportNotResumable, ImportTakenOver),
        replay=Replay.REFUSED,
        limit=Limit.BULK,
        conditional_scopes=(Scope.ADMINS_MANAGE,),
        uploads=_FILES,
    )
    async def resume_import(
        self, context: Context, import_id: str, query: HashingQuery, upload: Upload
    ) -> Answer[ImportBody]:
        """Go on with an interrupted import.

        The body is the same file from its beginning: what was applied is passed over, and must be as it was. Whoever
        still reads it elsewhere is stopped.
        """
        return Answer(await self._imports.resume_import(context, import_id, query, upload))

    @route(
        Method.GET,
        "/v1/admin/imports/{import_id}/report",
        scope=Scope.USERS_READ,
        errors=(ImportNotFound,),
        contents=(Content.NDJSON,),
    )
    async def get_import_report(self, context: Context, import_id: str) -> Answer[RefusedRow]:
        """List the rows of an import that made no user, each on a line: its number, its line in the file, and why."""
        lines = await self._imports.report(context.tenant_id, import_id)
        return Answer(Parts(lines, Content.NDJSON, f"{import_id}.ndjson"))
