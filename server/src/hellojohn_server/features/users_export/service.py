"""Who may export users, and how every one of them gets into the export: chunk by chunk, while it goes out."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Final

import msgspec
from msgspec.structs import replace

from hellojohn_server.features.audit.service import AuditLog
from hellojohn_server.features.keys.service import KeyService
from hellojohn_server.features.roles.service import RoleService
from hellojohn_server.features.search.schemas import Place, UserFilter
from hellojohn_server.features.search.service import filter_of, list_matching
from hellojohn_server.features.users.schemas import User
from hellojohn_server.features.users.service import require_never_upward
from hellojohn_server.features.users_export import repository
from hellojohn_server.features.users_export.events import users_exported
from hellojohn_server.features.users_export.schemas import ExportFormat, ExportUsersQuery, head_of, lines_of
from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.scopes import Scope
from hellojohn_server.kit.text import email_key
from hellojohn_server.storage.database import Database, Reader, Transaction

CHUNK: Final = 1_000
"""How many users are read at once. Between two reads the store belongs to the others."""

_PART: Final = 100
"""How many users are written without letting others have their turn: half a millisecond's work."""


class _Export(msgspec.Struct, frozen=True):
    """One export. `now_ms` is when it began: what ends by itself is judged by that moment for all users alike."""

    context: Context
    wanted: UserFilter
    written_as: ExportFormat
    with_password_hashes: bool
    now_ms: int


class _Chunk(msgspec.Struct, frozen=True):
    """Users, their password hashes if they are asked for, and the place after which there are more, if there are."""

    users: list[User]
    password_hashes: dict[str, str | None] | None
    last: Place | None


class UsersExportService:
    """Exports the users of one tenant at a time."""

    def __init__(  # noqa: PLR0913 - what it takes, each by name
        self, db: Database, clock: Clock, audit: AuditLog, *, keys: KeyService, roles: RoleService, chunk: int = CHUNK
    ) -> None:
        self._db = db
        self._clock = clock
        self._audit = audit
        self._keys = keys
        self._roles = roles
        self._chunk = chunk

    async def export_users(
        self, context: Context, query: ExportUsersQuery, *, with_password_hashes: bool = False
    ) -> AsyncGenerator[bytes, None]:
        """Record that users are exported, and return the parts of the export; none is larger than some users.

        Whoever matches throughout is in it, and once. InsufficientScope when a user with a privileged role matches and
        the caller may not manage administrators: here if there is one now, else from the part that would hold one. The
        parts end with what the key's next call would be refused for, once it is.
        """
        wanted = _wanted_by(query)
        export = _Export(context, wanted, query.format, with_password_hashes, self._clock.now_ms())

        async def check(reader: Reader) -> None:
            await self._require_never_upward(reader, export)

        await self._db.read(context.tenant_id, check)
        first = await self._read(export, None)
        event = users_exported(query.format, query.recorded(), with_password_hashes=with_password_hashes)

        async def command(tx: Transaction) -> None:
            await self._audit.record(tx, context, event)

        await self._db.write(context.tenant_id, command, type(None))
        return self._parts(export, first)

    async def _parts(self, export: _Export, first: _Chunk) -> AsyncGenerator[bytes, None]:
        chunk: _Chunk | None = first
        head = head_of(export.written_as, with_password_hashes=export.with_password_hashes)
        if head:
            yield head
        while chunk is not None:
            for start in range(0, len(chunk.users), _PART):
                users = chunk.users[start : start + _PART]
                yield lines_of(export.written_as, users, export.now_ms, chunk.password_hashes)
                await asyncio.sleep(0)
            chunk = None if chunk.last is None else await self._read_on(export, chunk.last)

    async def _read_on(self, export: _Export, after: Place) -> _Chunk:
        await self._keys.require_working(export.context.principal)
        return await self._read(export, after)

    async def _read(self, export: _Export, after: Place | None) -> _Chunk:
        async def query(reader: Reader) -> _Chunk:
            users, last = await list_matching(reader, export.wanted, after, limit=self._chunk, now_ms=export.now_ms)
            roles = {user.role for user in users}
            require_never_upward(export.context.principal, await self._roles.list_privileges(reader, roles))
            hashes = None
            if export.with_password_hashes:
                hashes = await repository.list_password_hashes(reader, [user.id for user in users])
            return _Chunk(users, hashes, last)

        return await self._db.read(export.context.tenant_id, query, long=True)

    async def _require_never_upward(self, reader: Reader, export: _Export) -> None:
        """Refuse at once what would break off later: when somebody with a privileged role matches already."""
        if export.context.principal.may(Scope.ADMINS_MANAGE):
            return
        for role in await self._roles.list_privileged(reader):
            if export.wanted.role in {None, role}:
                wanted = replace(export.wanted, role=role)
                found, _ = await list_matching(reader, wanted, None, limit=1, now_ms=export.now_ms)
                require_never_upward(export.context.principal, dict.fromkeys((user.role for user in found), True))


def _wanted_by(query: ExportUsersQuery) -> UserFilter:
    return replace(
        filter_of(query.query, query.filters),
        email_key=None if query.email is None else email_key(query.email),
        external_id=query.external_id,
    )
