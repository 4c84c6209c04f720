"""What every store offers, and the transaction rule that they share.

One command is one short write transaction, committed before the answer exists; `write` returns only once it is durable.
A command is an async function of a Transaction. It may run more than once (it is rerun whole on a serialization
conflict), so it changes nothing outside its transaction, and it awaits nothing but its transaction.
"""

from collections.abc import Awaitable, Callable, Sequence
from enum import Enum
from typing import Any, Final, Protocol, TypeAlias, TypeVar

import msgspec
import structlog

from hellojohn_server.kit.errors import IdempotencyKeyReused
from hellojohn_server.kit.idempotency import KEEP_SECONDS, Idempotency
from hellojohn_server.storage.errors import UnauditedChange
from hellojohn_server.storage.sql import Kind, Statement

T = TypeVar("T")

_log: Final = structlog.get_logger()

Parameter: TypeAlias = str | int | float | bytes | bool | Sequence[str] | None
"""A list of strings is for `IN (SELECT value FROM json_each(:ids))` on SQLite and `= ANY(:ids)` on PostgreSQL."""

Action: TypeAlias = Callable[[], None]

Row: TypeAlias = Sequence[Any]
"""Columns in the order of the statement. On SQLite booleans come as 0 and 1: repositories say bool(row[n])."""


class Reader(Protocol):
    """Reads of one tenant. `:tenant_id` is supplied: it is never passed."""

    @property
    def tenant_id(self) -> str: ...

    async def fetch_one(self, statement: Statement, **parameters: Parameter) -> Row | None:
        """Return the first row, or None."""
        ...

    async def fetch_all(self, statement: Statement, **parameters: Parameter) -> list[Row]:
        """Return every row."""
        ...


class Transaction(Reader, Protocol):
    """A write transaction of one tenant. Statements with RETURNING go through fetch_one and fetch_all."""

    async def execute(self, statement: Statement, **parameters: Parameter) -> int:
        """Run a statement and return the number of rows it changed."""
        ...

    async def execute_many(self, statement: Statement, rows: Sequence[dict[str, Parameter]]) -> None:
        """Run a statement once for each set of parameters. Their number counts as the rows changed.

        On PostgreSQL plain inserts wait for the next other statement, or the end, and go in one round trip with those
        that wait too, and with that statement if it names none of their tables; what is wrong with them is raised
        there. So what inserts alone uses this for a single row too.
        """
        ...

    async def slice(self) -> None:
        """Let reads go on for a moment. A command that takes over 5 ms calls this between its statements."""
        ...

    def mark_due(self, at_ms: int) -> None:
        """Say that this tenant will have work for the worker at `at_ms`; kept so that the worker finds it."""
        ...

    def after_commit(self, action: Action) -> None:
        """Call `action` once this transaction is durable, and never if it does not become so: to wake who waits for it.

        It may get lost with the process, so what must happen is marked with `mark_due` too.
        """
        ...


Query: TypeAlias = Callable[[Reader], Awaitable[T]]
Command: TypeAlias = Callable[[Transaction], Awaitable[T]]
Guard: TypeAlias = Callable[[Transaction], Awaitable[None]]


def run_actions(actions: Sequence[Action]) -> None:
    """Call what was to be called after a commit. Nothing that goes wrong there reaches whoever committed."""
    for action in actions:
        try:
            action()
        except Exception:  # noqa: BLE001 - the commit stands whatever an action meets; the log has the cause
            _log.exception("an action after a commit failed")


class Exempt(Enum):
    """Commands that change something and need no audit entry."""

    COUNTER_FOLD = "counter_fold"
    HOUSEKEEPING = "housekeeping"
    LAST_USED = "last_used"
    OUTBOX_CLAIM = "outbox_claim"
    SESSION_REFRESH = "session_refresh"
    SIGN_IN_COUNT = "sign_in_count"
    TENANT_STATE = "tenant_state"


NO_MARK: Final = 0
"""The generation of no mark."""


class Pending(msgspec.Struct, frozen=True):
    """A tenant that may have work. `generation` is what `settle` needs to clear the mark and no newer one.

    With NO_MARK as its generation it is any tenant, whether or not there is a mark.
    """

    tenant_id: str
    due_at: int
    generation: int


class Database(Protocol):
    """Every tenant's store and the control store (as tenant CONTROL_TENANT_ID).

    Raises TenantStoreNotFound for a tenant without a store, StoreBusy, StoreUnavailable and QueryTimeout (all 503).
    """

    async def read(self, tenant_id: str, query: Query[T], *, long: bool = False) -> T:
        """Run a query. Each statement sees what was committed before it began. `long` is for scans of seconds."""
        ...

    async def write(  # noqa: PLR0913 - the one door through which everything changes
        self,
        tenant_id: str,
        command: Command[T],
        result: type[T],
        *,
        guard: Guard | None = None,
        idempotency: Idempotency | None = None,
        exempt: Exempt | None = None,
    ) -> T:
        """Run a command in one transaction and return its result when it is durable.

        `guard` runs first in the same transaction and refuses by raising; it runs before a replay too.
        With `idempotency` the command's result (a value of type `result`, encodable by msgspec) is stored with it,
        sealed, for 24 hours; the same key and request again returns that result and runs nothing, also when both arrive
        at once; another request under the key raises IdempotencyKeyReused.
        A command that changed something and recorded no audit entry is rolled back with UnauditedChange, unless
        `exempt`. UniqueViolation propagates from the command that met it.
        """
        ...

    async def create_tenant(self, tenant_id: str) -> None:
        """Make an empty store for a tenant. Again is harmless."""
        ...

    async def drop_tenant(self, tenant_id: str) -> None:
        """Destroy a tenant's store and everything in it. Again is harmless."""
        ...

    async def pending(self, now_ms: int, limit: int, besides: Sequence[str] = ()) -> list[Pending]:
        """Return tenants whose work is due at `now_ms`, the longest due first, and none of `besides`."""
        ...

    async def settle(self, pending: Pending, next_due: Query[int | None]) -> None:
        """Clear a mark after its work is done, unless a newer one was made meanwhile; then mark what `next_due` finds.

        `next_due` reads the tenant's earliest due time (None: nothing is left). It runs after the mark is cleared, so
        that work committed in between is either found by it or marked again by its own commit. When it fails the tenant
        stays pending.
        """
        ...

    async def list_revised(self, tenant_ids: Sequence[str], since: str | None) -> tuple[set[str], str | None]:
        """Return those of these tenants in which a revocation may have been committed since a mark, and the next mark.

        Without a mark it is since ever. It costs one statement, or nothing, however many tenants there are.
        """
        ...

    async def check(self) -> None:
        """Return when the control store answers; raise StoreUnavailable or StoreBusy when it does not (for /ready)."""
        ...

    async def close(self) -> None:
        """Finish what is running and close every connection."""
        ...


CLAIM_RECORD = Statement(
    """
    INSERT INTO idempotency_records (tenant_id, key_hash, request_hash, answer, expires_at)
    VALUES (:tenant_id, :key_hash, :request_hash, NULL, :expires_at)
    ON CONFLICT (key_hash) DO UPDATE
    SET request_hash = excluded.request_hash, answer = NULL, expires_at = excluded.expires_at
    WHERE idempotency_records.expires_at <= :now
    RETURNING key_hash
    """,
    """
    INSERT INTO idempotency_records (tenant_id, key_hash, request_hash, answer, expires_at)
    VALUES (:tenant_id, :key_hash, :request_hash, NULL, :expires_at)
    ON CONFLICT (tenant_id, key_hash) DO UPDATE
    SET request_hash = excluded.request_hash, answer = NULL, expires_at = excluded.expires_at
    WHERE idempotency_records.expires_at <= :now
    RETURNING key_hash
    """,
    kind=Kind.BOOKKEEPING,
)
GET_RECORD = Statement(
    "SELECT request_hash, answer FROM idempotency_records WHERE tenant_id = :tenant_id AND key_hash = :key_hash"
)
STORE_ANSWER = Statement(
    """
    UPDATE idempotency_records SET answer = :answer, subject_id = :subject_id
    WHERE tenant_id = :tenant_id AND key_hash = :key_hash
    """,
    kind=Kind.BOOKKEEPING,
)


class Work(msgspec.Struct, frozen=True):
    """A command with everything `write` was given, as the engines pass it on."""

    command: Command[Any]
    result: Any
    guard: Guard | None
    idempotency: Idempotency | None
    exempt: Exempt | None


class Ledger:
    """Counts what a transaction changed and recorded. Each engine's transaction keeps one."""

    __slots__ = ("changed", "recorded")

    def __init__(self) -> None:
        self.changed = 0
        self.recorded = 0

    def add(self, statement: Statement, rows: int) -> None:
        """Note that `statement` changed `rows` rows."""
        if statement.kind is Kind.DATA:
            self.changed += rows
        elif statement.kind is Kind.AUDIT:
            self.recorded += rows

    def check(self, exempt: Exempt | None) -> None:
        """Raise UnauditedChange when there are changes, no entry, and no exemption."""
        if self.changed and not self.recorded and exempt is None:
            raise UnauditedChange(f"{self.changed} rows changed and no audit entry was recorded")


async def run_work(tx: Transaction, ledger: Ledger, work: Work, now_ms: int) -> Any:
    """Run guard, replay or command, and the audit rule in `tx`; return the result. The engine commits."""
    if work.guard is not None:
        await work.guard(tx)
    key = work.idempotency
    if key is None:
        outcome = await work.command(tx)
        ledger.check(work.exempt)
        return outcome
    key.used, key.replayed = True, False
    expires_at = now_ms + KEEP_SECONDS * 1000
    claimed = await tx.fetch_one(
        CLAIM_RECORD, key_hash=key.key_hash, request_hash=key.request_hash, expires_at=expires_at, now=now_ms
    )
    if claimed is None:
        return await _replay(tx, work, key)
    outcome = await work.command(tx)
    answer = key.seal(msgspec.json.encode(outcome))
    await tx.execute(STORE_ANSWER, key_hash=key.key_hash, answer=answer, subject_id=key.subject_id)
    tx.mark_due(expires_at)
    ledger.check(work.exempt)
    return outcome


async def _replay(tx: Transaction, work: Work, key: Idempotency) -> Any:
    row = await tx.fetch_one(GET_RECORD, key_hash=key.key_hash)
    if row is None or row[0] != key.request_hash:
        raise IdempotencyKeyReused
    key.replayed = True
    return msgspec.json.decode(key.open(row[1]), type=work.result)
