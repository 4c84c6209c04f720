"""The services of audit, tenants and keys over one database, as app.py puts them together."""

import msgspec

from hellojohn_server.features.audit.schemas import AuditEntryBody, ListAuditQuery
from hellojohn_server.features.audit.service import AuditLog, AuditReader, CustomEntries
from hellojohn_server.features.keys.service import KeyService
from hellojohn_server.features.revocation_log.service import RevocationLog
from hellojohn_server.features.sessions.service import SessionService
from hellojohn_server.features.tenants.service import TenantService
from hellojohn_server.kit.bell import Bell
from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.idempotency import Idempotency
from hellojohn_server.kit.ids import CONTROL_TENANT_ID, IdFactory
from hellojohn_server.kit.pagination import CursorCodec
from hellojohn_server.kit.principal import ActorType, Context, CredentialKind, Principal
from hellojohn_server.kit.sightings import Sightings
from hellojohn_server.storage.database import Database

CURSOR_SECRET = b"c" * 32


class Parts:
    """Everything that a test of these features needs; `ids` and `clock` are the test's own."""

    def __init__(self, database: Database, ids: IdFactory, clock: Clock) -> None:
        cursors = self.cursors = CursorCodec(CURSOR_SECRET)
        self.database = database
        self.ids = ids
        self.log = AuditLog(ids, clock)
        self.reader = AuditReader(database, cursors)
        self.custom = CustomEntries(database, self.log, self.reader)
        self.revocation_log = RevocationLog(database, Bell())
        self.tenants = TenantService(database, ids, clock, self.log, cursors, revocations=self.revocation_log)
        self.sightings = Sightings()
        self.sessions = SessionService(database, cursors, self.revocation_log)
        self.keys = KeyService(
            database,
            ids,
            clock,
            self.log,
            tenants=self.tenants,
            sessions=self.sessions,
            cursors=cursors,
            sightings=self.sightings,
        )

    async def entries(self, tenant_id: str = CONTROL_TENANT_ID, **filters: object) -> list[AuditEntryBody]:
        """Return the audit entries that `filters` ask for, oldest first."""
        query = msgspec.convert({"limit": 200, **filters}, ListAuditQuery)
        page = await self.reader.list_entries(tenant_id, query)
        return page.rows[::-1]


def key_context(
    tenant_id: str,
    *,
    scopes: tuple[str, ...] = ("*",),
    key_id: str = "key_01HZZZZZZZZZZZZZZZZZZZZZZZ",
    expires_at: int | None = None,
    idempotency: Idempotency | None = None,
) -> Context:
    """Return the context of a call with a secret key."""
    principal = Principal(
        CredentialKind.SECRET_KEY, ActorType.API_KEY, key_id, "backend", tenant_id, frozenset(scopes), expires_at
    )
    return Context(
        principal,
        "req_test",
        ip_address="192.0.2.7",
        user_agent="curl/8",
        asserted="dana@example.com",
        idempotency=idempotency,
    )


def master_context(*, idempotency: Idempotency | None = None, if_match: int | None = None) -> Context:
    """Return the context of a call with a master key."""
    principal = Principal(
        CredentialKind.MASTER_KEY,
        ActorType.MASTER_KEY,
        "key_01HYYYYYYYYYYYYYYYYYYYYYYY",
        "operations",
        CONTROL_TENANT_ID,
        frozenset({"*", "admins:manage"}),
    )
    return Context(principal, "req_test", ip_address="192.0.2.8", idempotency=idempotency, if_match=if_match)


def retry_key(body: bytes = b"{}", key: str = "retry-1") -> Idempotency:
    """Return an Idempotency-Key as one request carries it; each request has its own object."""
    return Idempotency(key=key, scope=("tenant", "credential", "POST", "/v1/x"), credential="sk_live_x", request=body)
