"""The rules of inserting users by the thousand."""

from collections.abc import Iterable, Mapping, Sequence

from hellojohn_server.features.audit.service import AuditLog
from hellojohn_server.features.roles.service import RoleService
from hellojohn_server.features.user_loading import repository
from hellojohn_server.features.user_loading.schemas import Taken
from hellojohn_server.features.users.errors import EmailBanned
from hellojohn_server.features.users.schemas import User
from hellojohn_server.features.users.service import insert_users, require_never_upward
from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.error_codes import FieldCode
from hellojohn_server.kit.errors import FieldError, Invalid
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.retention import RECYCLE_BIN_MS
from hellojohn_server.kit.secrets import AddressHasher
from hellojohn_server.storage.database import Reader, Transaction


class UserLoading:
    """Inserts users who come from elsewhere, as they are."""

    def __init__(self, clock: Clock, audit: AuditLog, *, roles: RoleService, addresses: AddressHasher) -> None:
        self._clock = clock
        self._audit = audit
        self._roles = roles
        self._addresses = addresses

    async def list_taken(self, reader: Reader, users: Sequence[User]) -> Taken:
        """Return what the tenant has already of what is unique in these users, in one read.

        In the transaction that inserts them, whoever is left out for it can fail no other. On PostgreSQL somebody else
        may still take a value in between: then that one is UniqueViolation, and asking again finds it.
        """
        hashes = self._hashes(reader.tenant_id, users)
        found = await repository.list_taken(
            reader,
            ids=[user.id for user in users],
            email_keys=[user.email_key for user in users],
            username_keys=[user.username.casefold() for user in users if user.username is not None],
            external_ids=[user.external_id for user in users if user.external_id is not None],
            address_hashes=list(hashes),
            now_ms=self._clock.now_ms(),
        )
        return Taken(
            ids=frozenset(found["id"]),
            emails=found["email_key"],
            usernames=found["username_key"],
            external_ids=found["external_id"],
            closed=frozenset(hashes[address_hash] for address_hash in found["address_hash"]),
        )

    async def insert_users(
        self,
        tx: Transaction,
        context: Context,
        users: Sequence[User],
        password_hashes: Mapping[str, str] | None = None,
        about: Mapping[str, str] | None = None,
    ) -> None:
        """Insert users with counters, search, and an audit entry for each; `password_hashes` are by the user's id.

        `about` is what the entries say of where the users come from.
        What list_taken finds is UniqueViolation or EmailBanned; an unknown role Invalid; a privileged one, where the
        caller may not manage administrators, InsufficientScope. A thousand take some 0.3 s; it calls `tx.slice`.
        """
        privileges = await self._roles.list_privileges_locked(tx, {user.role for user in users})
        require_never_upward(context.principal, privileges)
        unknown = {user.role for user in users} - set(privileges)
        if unknown:
            message = f"There is no role {min(unknown)}."
            raise Invalid(details=[FieldError("role", FieldCode.UNKNOWN, message)])
        await insert_users(tx, context, self._audit, users, hashes=password_hashes or {}, about=about or {})
        # Who erases a banned user with one of these addresses was before: at the write it was waited for.
        if await repository.list_closed(tx, list(self._hashes(tx.tenant_id, users)), self._clock.now_ms()):
            raise EmailBanned
        due = _due_times(users)
        if due:
            tx.mark_due(min(due))

    def _hashes(self, tenant_id: str, users: Iterable[User]) -> dict[str, str]:
        """Return the addresses of these users by the hash under which a closed one is kept."""
        return {self._addresses.hash(tenant_id, user.email_key): user.email_key for user in users}


def _due_times(users: Iterable[User]) -> list[int]:
    """Return when the worker has something to do about these users: bans and locks end, the recycle bin is emptied."""
    return [
        *(user.banned_until for user in users if user.banned_until is not None),
        *(user.locked_until for user in users if user.locked_until is not None),
        *(user.deleted_at + RECYCLE_BIN_MS for user in users if user.deleted_at is not None),
    ]
