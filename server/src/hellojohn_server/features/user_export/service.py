"""Who may have everything that is held about a person, and how it is put together: page by page, while it goes out."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Final

import msgspec

from hellojohn_server.features.action_tokens.schemas import ActionTokenRow
from hellojohn_server.features.audit.schemas import ListAuditQuery
from hellojohn_server.features.audit.service import AuditLog, AuditReader
from hellojohn_server.features.emails.schemas import ListEmailsQuery, email_body
from hellojohn_server.features.emails.service import EmailService
from hellojohn_server.features.invitations.schemas import invitation_body
from hellojohn_server.features.mfa.schemas import factor_body
from hellojohn_server.features.mfa.service import MfaService
from hellojohn_server.features.organizations.schemas import ListBelongingsQuery
from hellojohn_server.features.organizations.service import OrganizationService
from hellojohn_server.features.roles.service import RoleService
from hellojohn_server.features.sessions.schemas import ListSessionsQuery, SessionStatus, session_body
from hellojohn_server.features.sessions.service import SessionService
from hellojohn_server.features.user_export import repository
from hellojohn_server.features.user_export.events import user_exported
from hellojohn_server.features.user_export.schemas import LinkBody
from hellojohn_server.features.users.errors import UserNotFound
from hellojohn_server.features.users.schemas import User, access_of, body_of
from hellojohn_server.features.users.service import UserService, require_never_upward
from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.ids import IdPrefix, is_id
from hellojohn_server.kit.pagination import Page
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.times import format_optional_time, format_time
from hellojohn_server.storage.database import Database, Reader, Transaction

_PAGE: Final = 100
_encode: Final = msgspec.json.Encoder().encode


class ExportServices(msgspec.Struct, frozen=True):
    """The services that have what an export holds."""

    audit_log: AuditLog
    audit: AuditReader
    emails: EmailService
    mfa: MfaService
    organizations: OrganizationService
    roles: RoleService
    sessions: SessionService
    users: UserService


class UserExportService:
    """Exports users of the caller's tenant."""

    def __init__(self, db: Database, clock: Clock, services: ExportServices) -> None:
        self._db = db
        self._clock = clock
        self._services = services

    async def export_user(self, context: Context, user_id: str) -> AsyncGenerator[bytes, None]:
        """Record that a user is exported, and return the parts of a UserExportBody in JSON; none is larger than a page.

        Also of a user in the recycle bin. UserNotFound; InsufficientScope for a privileged role without admins:manage.
        Each page is read when it is asked for: what changes meanwhile is in it or not.
        """
        if not is_id(user_id, IdPrefix.USER):
            raise UserNotFound

        async def command(tx: Transaction) -> User:
            user = (await self._services.users.lock_users(tx, [user_id])).get(user_id)
            if user is None:
                raise UserNotFound
            privileges = await self._services.roles.list_privileges_locked(tx, [user.role])
            require_never_upward(context.principal, privileges)
            await self._services.audit_log.record(tx, context, user_exported(user_id))
            return user

        user = await self._db.write(context.tenant_id, command, User)
        return self._parts(context.tenant_id, user, self._clock.now_ms())

    async def _parts(self, tenant_id: str, user: User, now_ms: int) -> AsyncGenerator[bytes, None]:
        yield _encode(await self._head(tenant_id, user, now_ms))[:-1]
        for name, pages in (
            ("organizations", self._organizations(tenant_id, user.id)),
            ("sessions", self._sessions(tenant_id, user.id, now_ms)),
            ("emails", self._emails(tenant_id, user)),
            ("audit_logs", self._audit_logs(tenant_id, user.id)),
        ):
            separator = b""
            yield b',"%b":[' % name.encode()
            async for rows in pages:
                for row in rows:
                    yield separator + _encode(row)
                    separator = b","
            yield b"]"
        yield b"}"

    async def _head(self, tenant_id: str, user: User, now_ms: int) -> dict[str, Any]:
        """Return what is small."""

        async def query(reader: Reader) -> dict[str, Any]:
            has_password, backup_codes = await repository.get_secrets(reader, user.id)
            factors = await self._services.mfa.list_factors(reader, user.id)
            return {
                "exported_at": format_time(now_ms),
                "user": body_of(user, now_ms),
                "access": access_of(user, now_ms),
                "has_password": has_password,
                "backup_codes": backup_codes,
                "factors": [factor_body(factor) for factor in factors],
                "links": [_link_body(link) for link in await repository.list_links(reader, user.id)],
                "invitations": [
                    invitation_body(one) for one in await repository.list_invitations_to(reader, user.email_key)
                ],
            }

        return await self._db.read(tenant_id, query)

    async def _organizations(self, tenant_id: str, user_id: str) -> AsyncIterator[Sequence[Any]]:
        async def page(cursor: str | None) -> Page[Any]:
            query = ListBelongingsQuery(limit=_PAGE, cursor=cursor)
            return await self._services.organizations.list_belongings(tenant_id, user_id, query)

        async for rows in _every(page):
            yield rows

    async def _sessions(self, tenant_id: str, user_id: str, now_ms: int) -> AsyncIterator[Sequence[Any]]:
        for status in SessionStatus:

            async def page(cursor: str | None, status: SessionStatus = status) -> Page[Any]:
                query = ListSessionsQuery(limit=_PAGE, cursor=cursor, user_id=user_id, status=status)
                return await self._services.sessions.list_sessions(tenant_id, query, now_ms)

            async for rows in _every(page):
                yield [session_body(session, now_ms) for session in rows]

    async def _emails(self, tenant_id: str, user: User) -> AsyncIterator[Sequence[Any]]:
        async def page(cursor: str | None) -> Page[Any]:
            query = ListEmailsQuery(limit=_PAGE, cursor=cursor, user_id=user.id)
            return await self._services.emails.list_emails(tenant_id, query)

        async def query(reader: Reader) -> Sequence[Any]:
            return [email_body(email) for email in await repository.list_emails_to(reader, user.email_key)]

        async for rows in _every(page):
            yield rows
        yield await self._db.read(tenant_id, query)

    async def _audit_logs(self, tenant_id: str, user_id: str) -> AsyncIterator[Sequence[Any]]:
        async def page(cursor: str | None) -> Page[Any]:
            query = ListAuditQuery(limit=_PAGE, cursor=cursor, user_id=user_id)
            return await self._services.audit.list_entries(tenant_id, query)

        async for rows in _every(page):
            yield rows


async def _every(page: Callable[[str | None], Awaitable[Page[Any]]]) -> AsyncIterator[Sequence[Any]]:
    """Yield the rows of each page, one page after the other."""
    cursor: str | None = None
    while True:
        found = await page(cursor)
        yield found.rows
        cursor = found.pagination.next_cursor
        if cursor is None:
            return


def _link_body(link: ActionTokenRow) -> LinkBody:
    return LinkBody(
        id=link.id,
        purpose=link.purpose,
        created_at=format_time(link.created_at),
        expires_at=format_time(link.expires_at),
        used_at=format_optional_time(link.consumed_at),
    )
