"""The services of users and of bulk acts over one database, as app.py puts them together, and users in every state."""

from collections import Counter
from typing import Any, Final

import msgspec

from hellojohn_server.features.action_tokens.service import ActionTokenService, LinkMailer
from hellojohn_server.features.audit.schemas import AuditEntryBody
from hellojohn_server.features.bulk.service import BulkService
from hellojohn_server.features.emails.service import EmailService, MailParts
from hellojohn_server.features.mfa.service import MfaService
from hellojohn_server.features.password_policy.service import NewPasswords
from hellojohn_server.features.password_reset.service import PasswordResetService, ResetServices
from hellojohn_server.features.roles.service import RoleService
from hellojohn_server.features.tenant_settings.service import TenantSettingsService
from hellojohn_server.features.user_access.service import UserAccess
from hellojohn_server.features.user_acts.service import UserActs
from hellojohn_server.features.user_counters.service import UserCounters
from hellojohn_server.features.users.repository import get_user
from hellojohn_server.features.users.schemas import CreateUserBody, UpdateUserBody, User, UserBody
from hellojohn_server.features.users.service import UserService
from hellojohn_server.kit.bell import Bell
from hellojohn_server.kit.day_counters import DayCounter
from hellojohn_server.kit.idempotency import Idempotency
from hellojohn_server.kit.ids import IdFactory, IdPrefix
from hellojohn_server.kit.mail import Mailbox
from hellojohn_server.kit.metrics import Metrics
from hellojohn_server.kit.passwords import PasswordHasher
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.rate_limits import RateLimiter
from hellojohn_server.kit.secrets import AddressHasher, BackupCodeHasher, Sealer
from hellojohn_server.storage.database import Database, Parameter, Reader, Transaction
from hellojohn_server.storage.sql import Kind, Statement
from tests.conftest import ManualClock
from tests.features.tenants.parts import Parts, key_context

ADMIN: Final = ("*", "admins:manage")

INSERT_ROLE: Final = Statement(
    """
    INSERT INTO roles (tenant_id, id, name, permissions, privileged, created_at, updated_at, version)
    VALUES (:tenant_id, :id, :name, '[]', :privileged, 0, 0, 1)
    """,
    kind=Kind.BOOKKEEPING,
)
INSERT_SESSION: Final = Statement(
    """
    INSERT INTO sessions (tenant_id, id, user_id, created_at, expires_at, access_expires_at)
    VALUES (:tenant_id, :id, :user_id, 0, :expires_at, :access_expires_at)
    """,
    kind=Kind.BOOKKEEPING,
)
INSERT_CLOSED_ADDRESS: Final = Statement(
    """
    INSERT INTO banned_addresses (tenant_id, address_hash, banned_until, created_at)
    VALUES (:tenant_id, :address_hash, :banned_until, 0)
    """,
    kind=Kind.BOOKKEEPING,
)
LIST_SESSIONS: Final = Statement(
    """
    SELECT id, revoked_at, revoked_reason FROM sessions
    WHERE tenant_id = :tenant_id AND user_id = :user_id ORDER BY id
    """
)
GET_PASSWORD: Final = Statement("SELECT password_hash FROM users WHERE tenant_id = :tenant_id AND id = :user_id")
LIST_COUNTERS: Final = Statement(
    "SELECT facet, users FROM user_counters WHERE tenant_id = :tenant_id",
    """
    SELECT facet, sum(users)::bigint FROM (
        SELECT facet, users FROM user_counters WHERE tenant_id = :tenant_id
        UNION ALL
        SELECT facet, users FROM user_counter_deltas WHERE tenant_id = :tenant_id
    ) AS parts GROUP BY facet
    """,
)
LIST_DAYS: Final = Statement(
    "SELECT created_at, last_active_at FROM users WHERE tenant_id = :tenant_id AND deleted_at IS NULL"
)
LIST_ENTRIES_OF: Final = Statement("SELECT created_at FROM audit_entries WHERE tenant_id = :tenant_id AND type = :type")
LIST_FACTS: Final = Statement(
    "SELECT role, disabled, mfa_enrolled, email_verified FROM users WHERE tenant_id = :tenant_id AND deleted_at IS NULL"
)
SET: Final = {
    name: Statement(
        f"UPDATE users SET {name} = :value WHERE tenant_id = :tenant_id AND id = :user_id", kind=Kind.BOOKKEEPING
    )
    for name in User.__struct_fields__
}


class UserParts(Parts):
    """Everything that a test of users needs, beside what a test of tenants does."""

    def __init__(self, database: Database, ids: IdFactory, clock: ManualClock, passwords: PasswordHasher) -> None:
        super().__init__(database, ids, clock)
        self.clock = clock
        self.passwords = passwords
        self.roles = RoleService()
        self.addresses = AddressHasher(bytes(range(32)))
        self.settings = TenantSettingsService(database, clock, self.log)
        self.mailbox = Mailbox()
        mail = MailParts(self.mailbox, "no-reply@example.com", Sealer(bytes(32)), Bell())
        emails = EmailService(
            database,
            ids,
            clock,
            self.log,
            tenants=self.tenants,
            settings=self.settings,
            cursors=self.cursors,
            metrics=Metrics(passwords),
            parts=mail,
            addresses=self.addresses,
        )
        self.links = ActionTokenService(
            database, ids, clock, settings=self.settings, addresses=self.addresses, public_url="https://id.example.com"
        )
        self.mailer = LinkMailer(emails, self.links)
        chosen, limiter = self.new_passwords(passwords), RateLimiter(clock, {})
        self.users = UserService(
            database,
            ids,
            clock,
            self.log,
            roles=self.roles,
            sessions=self.sessions,
            passwords=chosen,
            addresses=self.addresses,
            mailer=self.mailer,
        )
        self.acts = UserActs(
            clock, self.log, roles=self.roles, sessions=self.sessions, users=self.users, addresses=self.addresses
        )
        self.access = UserAccess(database, clock, acts=self.acts, users=self.users, passwords=chosen)
        below = (self.acts, self.users, self.sessions, chosen, self.addresses, limiter)
        codes = BackupCodeHasher(bytes(32))
        mfa = MfaService(database, clock, self.log, self.settings, sealer=mail.sealer, backup_codes=codes)
        services = ResetServices(self.log, emails, self.links, *below, mfa)
        self.resets = PasswordResetService(database, clock, services, floor_seconds=0)
        self.bulk = BulkService(database, clock, self.acts, self.resets)
        self.counters = UserCounters(database)

    def new_passwords(self, hasher: PasswordHasher) -> NewPasswords:
        """Return what new passwords are judged and hashed by."""
        return NewPasswords(self.database, settings=self.settings, tenants=self.tenants, hasher=hasher)

    async def make(self, tenant_id: str, email: str = "alice@example.com", **values: Any) -> UserBody:
        """Create a user as a key that may do everything; `state_` values are then put in the row directly."""
        facts = {name.removeprefix("state_"): value for name, value in values.items() if name.startswith("state_")}
        given = {name: value for name, value in values.items() if not name.startswith("state_")}
        body = msgspec.convert({"email": email, **given}, CreateUserBody)
        made = await self.users.create_user(key_context(tenant_id, scopes=ADMIN), body)
        if facts:
            await self.put(tenant_id, made.id, **facts)
        return made

    async def put(self, tenant_id: str, user_id: str, **facts: Parameter) -> None:
        """Put facts in a user's row directly, without their counters and entries."""

        async def command(tx: Transaction) -> None:
            for name, value in facts.items():
                await tx.execute(SET[name], user_id=user_id, value=value)

        await self.database.write(tenant_id, command, type(None))

    async def add_role(self, tenant_id: str, name: str, *, privileged: bool = False) -> None:
        """Put one of the tenant's own roles in the store."""

        async def command(tx: Transaction) -> None:
            await tx.execute(INSERT_ROLE, id=self.ids.new(IdPrefix.ROLE), name=name, privileged=privileged)

        await self.database.write(tenant_id, command, type(None))

    async def add_session(self, tenant_id: str, user_id: str, *, lasts: int = 86_400, access_lasts: int = 900) -> str:
        """Put a session of a user in the store; it and its last access token end so many seconds from now."""
        session_id = self.ids.new(IdPrefix.SESSION)
        now = self.clock.now_ms()

        async def command(tx: Transaction) -> None:
            await tx.execute(
                INSERT_SESSION,
                id=session_id,
                user_id=user_id,
                expires_at=now + lasts * 1000,
                access_expires_at=now + access_lasts * 1000,
            )

        await self.database.write(tenant_id, command, type(None))
        return session_id

    async def close_address(self, tenant_id: str, key: str, banned_until: int | None) -> None:
        """Close an address as the erasing of a banned user does."""
        address_hash = self.addresses.hash(tenant_id, key)

        async def command(tx: Transaction) -> None:
            await tx.execute(INSERT_CLOSED_ADDRESS, address_hash=address_hash, banned_until=banned_until)

        await self.database.write(tenant_id, command, type(None))

    async def rows(self, tenant_id: str, statement: Statement, **parameters: Parameter) -> list[tuple[Any, ...]]:
        """Return what a statement finds."""

        async def query(reader: Reader) -> list[tuple[Any, ...]]:
            return [tuple(row) for row in await reader.fetch_all(statement, **parameters)]

        return await self.database.read(tenant_id, query)

    async def stored(self, tenant_id: str, user_id: str) -> User:
        """Return a user's row."""

        async def query(reader: Reader) -> User | None:
            return await get_user(reader, user_id)

        user = await self.database.read(tenant_id, query)
        assert user is not None
        return user

    async def counted(self, tenant_id: str) -> dict[str, int]:
        """Return every counter that is not zero, but for those of days."""
        return {facet: users for facet, users in await self._counters(tenant_id) if not _is_of_day(facet)}

    async def counted_days(self, tenant_id: str) -> dict[str, int]:
        """Return every counter of a day that is not zero."""
        return {facet: users for facet, users in await self._counters(tenant_id) if _is_of_day(facet)}

    async def recounted_days(self, tenant_id: str) -> dict[str, int]:
        """Return what the counters of days must be: those of users from the users' rows, of sign-ins from the log.

        The log has no failures of addresses that nobody has.
        """
        counts: Counter[str] = Counter()
        for created_at, last_active_at in await self.rows(tenant_id, LIST_DAYS):
            counts[f"created:{created_at // 86_400_000}"] += 1
            if last_active_at is not None:
                counts[f"active:{last_active_at // 86_400_000}"] += 1
        for kind, name in (("user.signed_in", "signed_in"), ("user.sign_in_failed", "sign_in_failed")):
            for (at,) in await self.rows(tenant_id, LIST_ENTRIES_OF, type=kind):
                counts[f"{name}:{at // 86_400_000}"] += 1
        return dict(counts)

    async def _counters(self, tenant_id: str) -> list[tuple[str, int]]:
        return [(facet, users) for facet, users in await self.rows(tenant_id, LIST_COUNTERS) if users]

    async def recounted(self, tenant_id: str) -> dict[str, int]:
        """Return what every counter must be, from the users' rows."""
        counts: dict[str, int] = {}
        for role, disabled, mfa_enrolled, email_verified in await self.rows(tenant_id, LIST_FACTS):
            facts = {"disabled": disabled, "mfa_enrolled": mfa_enrolled, "email_verified": email_verified}
            for facet in ("total", f"role:{role}", *(name for name, holds in facts.items() if holds)):
                counts[facet] = counts.get(facet, 0) + 1
        return counts


def _is_of_day(facet: str) -> bool:
    return facet.partition(":")[0] in set(DayCounter)


async def live(parts: UserParts, tenant_id: str, user_id: str) -> int:
    """Return how many sessions of the user were not revoked."""
    return sum(at is None for _, at, _ in await parts.rows(tenant_id, LIST_SESSIONS, user_id=user_id))


def change(**values: Any) -> UpdateUserBody:
    """Return the body of a PATCH."""
    return msgspec.convert(values, UpdateUserBody)


def with_version(context: Context, version: int) -> Context:
    """Return the context of a call with If-Match."""
    return msgspec.structs.replace(context, if_match=version)


def with_retry(context: Context, key: Idempotency) -> Context:
    """Return the context of a call with an Idempotency-Key."""
    return msgspec.structs.replace(context, idempotency=key)


def told(entries: list[AuditEntryBody]) -> list[tuple[Any, ...]]:
    """Return what the entries say: type, resource, reason, changes, metadata."""
    return [
        (
            entry.type,
            None if entry.resource is None else entry.resource.id,
            entry.reason,
            None if entry.changes is None else {field: tuple(pair) for field, pair in entry.changes.items()},
            entry.metadata,
        )
        for entry in entries
    ]
