"""The audit log's own rules: what is written for an act and in whose transaction, and what is shown of it."""

import os
from collections.abc import Sequence
from typing import Final

from hellojohn_server.features.audit import repository
from hellojohn_server.features.audit.errors import AuditLogNotFound
from hellojohn_server.features.audit.events import (
    SALT_BYTES,
    ActorValues,
    EntryCore,
    Event,
    Part,
    PartState,
    ResourceValues,
    SideRow,
    document_of,
    hash_of,
    verify_side_rows,
)
from hellojohn_server.features.audit.schemas import (
    AuditEntryBody,
    CreateAuditEntryBody,
    ListAuditQuery,
    StoredEntry,
    entry_body,
)
from hellojohn_server.kit.addresses import parse_address
from hellojohn_server.kit.audit_types import AuditResult, AuditSource, AuditType, ResourceType
from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.errors import ApiError, InsufficientScope
from hellojohn_server.kit.ids import IdFactory, IdPrefix, first_id_at, is_id, time_of
from hellojohn_server.kit.pagination import CursorCodec, Page, page_of
from hellojohn_server.kit.principal import Context, CredentialKind
from hellojohn_server.kit.times import to_ms
from hellojohn_server.storage.database import Database, Reader, Transaction

_MINUTE_MS: Final = 60_000
AT_A_TIME: Final = 250
"""Entries written between two slices, by two statements: about 6 ms on SQLite."""

_KNOWN_RESOURCES: Final = {
    IdPrefix.INVITATION: ResourceType.INVITATION,
    IdPrefix.KEY: ResourceType.API_KEY,
    IdPrefix.ORGANIZATION: ResourceType.ORGANIZATION,
    IdPrefix.ROLE: ResourceType.ROLE,
    IdPrefix.TENANT: ResourceType.TENANT,
    IdPrefix.USER: ResourceType.USER,
}


class AuditLog:
    """Records acts, in the transaction that does them. What must survive a failure is a write of its own."""

    def __init__(self, ids: IdFactory, clock: Clock) -> None:
        self._ids = ids
        self._clock = clock

    async def record(self, tx: Transaction, context: Context, event: Event) -> str:
        """Write one entry in `tx` and return its id. Personal values go to side rows, bound by salted hashes."""
        return (await self.record_many(tx, context, [event]))[0]

    async def record_many(self, tx: Transaction, context: Context, events: Sequence[Event]) -> list[str]:
        """Write an entry for each event in `tx` and return their ids in the same order.

        Several take two statements for every AT_A_TIME of them, with a slice in between.
        """
        made: list[str] = []
        about_actor = _about_actor(context)
        for start in range(0, len(events), AT_A_TIME):
            if start:
                await tx.slice()
            entries = [(self._ids.new(IdPrefix.EVENT), event) for event in events[start : start + AT_A_TIME]]
            await _insert(tx, context, about_actor, entries)
            made.extend(entry_id for entry_id, _ in entries)
        return made

    async def erase_subjects(self, tx: Transaction, subject_ids: Sequence[str]) -> None:
        """Destroy, in `tx`, the personal values of every entry about these persons; the entries stand without them."""
        await repository.delete_side_rows(tx, subject_ids)

    async def record_denied(self, db: Database, context: Context, operation: str, error: ApiError) -> None:
        """Record in a write of its own that `context` was refused `operation` (its name: `create_user`).

        Of a credential's denials of one operation within a minute the first makes an entry and the others are counted
        with it, however many processes they arrive at. A master key's go to the control store.
        """
        missing = list(error.missing) if isinstance(error, InsufficientScope) else []
        event = Event(
            AuditType.OPERATION_DENIED,
            resource_id=operation,
            resource_type=ResourceType.OPERATION,
            result=AuditResult.DENIED,
            metadata={"operation": operation, "code": error.code.value, "missing_scopes": missing},
        )

        async def command(tx: Transaction) -> None:
            entry_id = self._ids.new(IdPrefix.EVENT)
            minute = self._clock.now_ms() // _MINUTE_MS
            if await repository.insert_denial(tx, context.principal.id, operation, minute, entry_id):
                await _insert(tx, context, _about_actor(context), [(entry_id, event)])

        await db.write(context.tenant_id, command, type(None))


class AuditReader:
    """Reads the audit log of one tenant at a time."""

    def __init__(self, db: Database, cursors: CursorCodec) -> None:
        self._db = db
        self._cursors = cursors

    async def list_entries(self, tenant_id: str, query: ListAuditQuery) -> Page[AuditEntryBody]:
        """Return a page of entries, newest first. The total is exact up to COUNT_CAP."""
        filters = _filters_of(query)
        bound = ("audit-logs", filters)
        after = None
        if query.cursor is not None:
            after = str(self._cursors.decode(tenant_id, bound, query.cursor)[0])

        async def read(reader: Reader) -> Page[AuditEntryBody]:
            total, found = await repository.list_entries(reader, filters, query.limit + 1, after)
            rows = [entry_body(tenant_id, stored) for stored in found[: query.limit]]
            more = len(found) > query.limit
            following = self._cursors.encode(tenant_id, bound, (rows[-1].id,)) if more else None
            return page_of(rows, query.limit, total, following, capped=True)

        return await self._db.read(tenant_id, read)

    async def list_chunk(
        self, tenant_id: str, query: ListAuditQuery, after: str | None, rows: int
    ) -> list[AuditEntryBody]:
        """Return up to `rows` entries below the id `after` that a query's filters ask for, newest first."""
        filters = _filters_of(query)

        async def read(reader: Reader) -> list[AuditEntryBody]:
            found = await repository.list_chunk(reader, filters, rows, after)
            return [entry_body(tenant_id, stored) for stored in found]

        return await self._db.read(tenant_id, read, long=True)

    async def require_entry(self, tenant_id: str, entry_id: str) -> AuditEntryBody:
        """Return an entry; AuditLogNotFound when this tenant has none of that id."""
        return entry_body(tenant_id, await self._require_stored(tenant_id, entry_id))

    async def verify_entry(self, tenant_id: str, entry_id: str) -> dict[Part, PartState]:
        """Say of each side of an entry whether it is what was recorded. AuditLogNotFound."""
        stored = await self._require_stored(tenant_id, entry_id)

        async def query(reader: Reader) -> Sequence[SideRow]:
            return await repository.list_side_rows(reader, entry_id)

        return verify_side_rows(stored.core, await self._db.read(tenant_id, query))

    async def _require_stored(self, tenant_id: str, entry_id: str) -> StoredEntry:
        if not is_id(entry_id, IdPrefix.EVENT):
            raise AuditLogNotFound

        async def query(reader: Reader) -> StoredEntry | None:
            return await repository.get_entry(reader, entry_id)

        stored = await self._db.read(tenant_id, query)
        if stored is None:
            raise AuditLogNotFound
        return stored


class CustomEntries:
    """The application's own entries. They name their credential as the actor, whoever they claim acted."""

    def __init__(self, db: Database, log: AuditLog, reader: AuditReader) -> None:
        self._db = db
        self._log = log
        self._reader = reader

    async def create_entry(self, context: Context, body: CreateAuditEntryBody) -> AuditEntryBody:
        """Record an entry of source `custom` in the caller's tenant and return it."""
        claimed = {} if body.actor is None else {"claimed_actor": body.actor}
        event = Event(
            body.action,
            resource_id=body.resource_id,
            resource_type=_resource_type_of(body.resource_id),
            source=AuditSource.CUSTOM,
            metadata={**body.metadata, **claimed},
        )

        async def command(tx: Transaction) -> str:
            return await self._log.record(tx, context, event)

        entry_id = await self._db.write(context.tenant_id, command, str, idempotency=context.idempotency)
        return await self._reader.require_entry(context.tenant_id, entry_id)


def _about_actor(context: Context) -> str:
    values = ActorValues(context.principal.name, context.asserted, context.ip_address, context.user_agent)
    return document_of(values)


async def _insert(tx: Transaction, context: Context, about_actor: str, entries: Sequence[tuple[str, Event]]) -> None:
    if len(entries) > 1:
        await _insert_many(tx, context, about_actor, entries)
    for entry_id, event in entries if len(entries) == 1 else ():
        salts = os.urandom(2 * SALT_BYTES)
        actor_salt, resource_salt = salts[:SALT_BYTES], salts[SALT_BYTES:]
        about_resource = document_of(ResourceValues(event.reason, event.changes, event.metadata))
        hashes = (hash_of(actor_salt, about_actor), hash_of(resource_salt, about_resource))
        actor = _person_behind(context, event)
        sides = (
            SideRow(entry_id, Part.ACTOR, actor, actor_salt, about_actor, context.ip_address),
            SideRow(entry_id, Part.RESOURCE, event.resource_id, resource_salt, about_resource, None),
        )
        await repository.insert_entry(tx, _core_of(context, entry_id, event, hashes), sides)


async def _insert_many(
    tx: Transaction, context: Context, about_actor: str, entries: Sequence[tuple[str, Event]]
) -> None:
    """Insert entries, what they have in common once."""
    salts = os.urandom(2 * SALT_BYTES * len(entries)).hex()
    width = 2 * SALT_BYTES
    rows: list[repository.Entry] = []
    for place, (entry_id, event) in zip(range(0, len(salts), 2 * width), entries, strict=True):
        actor_salt, resource_salt = salts[place : place + width], salts[place + width : place + 2 * width]
        about_resource = document_of(ResourceValues(event.reason, event.changes, event.metadata))
        rows.append(
            (
                *(entry_id, str(event.type), str(event.source), event.resource_id),
                *(None if event.resource_type is None else str(event.resource_type), event.organization_id),
                *(str(event.result), time_of(entry_id)),
                hash_of(bytes.fromhex(actor_salt), about_actor),
                hash_of(bytes.fromhex(resource_salt), about_resource),
                *(_person_behind(context, event), actor_salt, resource_salt, about_resource),
            )
        )
    behalf = context.on_behalf_of
    call = repository.Call(
        actor_id=context.principal.id,
        actor_type=context.principal.actor_type.value,
        on_behalf_of_id=None if behalf is None else behalf.id,
        on_behalf_of_type=None if behalf is None else behalf.type.value,
        request_id=context.request_id,
        impersonated=behalf is not None,
        about_actor=about_actor,
        ip_address=context.ip_address,
    )
    await repository.insert_entries(tx, call, rows)


def _person_behind(context: Context, event: Event) -> str:
    """Return whom the values about who acted belong to, so that erasing that person destroys them.

    It is who acted, but a publishable key is an application's: who signs up or in through it is the user of the event.
    """
    user_id = event.resource_id
    if context.principal.kind is CredentialKind.PUBLISHABLE_KEY and user_id and is_id(user_id, IdPrefix.USER):
        return user_id
    return context.principal.id


def _core_of(context: Context, entry_id: str, event: Event, hashes: tuple[str, str]) -> EntryCore:
    """Return an entry's core. It is dated by its id, so that ranges of time are ranges of ids."""
    behalf = context.on_behalf_of
    return EntryCore(
        id=entry_id,
        type=str(event.type),
        source=event.source.value,
        actor_id=context.principal.id,
        actor_type=context.principal.actor_type.value,
        on_behalf_of_id=None if behalf is None else behalf.id,
        on_behalf_of_type=None if behalf is None else behalf.type.value,
        resource_id=event.resource_id,
        resource_type=None if event.resource_type is None else str(event.resource_type),
        organization_id=event.organization_id,
        request_id=context.request_id,
        result=event.result.value,
        impersonated=behalf is not None,
        created_at=time_of(entry_id),
        actor_hash=hashes[0],
        resource_hash=hashes[1],
    )


def _filters_of(query: ListAuditQuery) -> repository.Filters:
    return repository.Filters(
        actor_id=query.actor_id,
        user_id=query.user_id,
        actor_type=None if query.actor_type is None else query.actor_type.value,
        type=query.type,
        result=None if query.result is None else query.result.value,
        ip_address=None if query.ip_address is None else str(parse_address(query.ip_address)),
        resource_id=query.resource_id,
        resource_type=query.resource_type,
        from_id=None if query.from_ is None else first_id_at(IdPrefix.EVENT, to_ms(query.from_)),
        to_id=None if query.to is None else first_id_at(IdPrefix.EVENT, to_ms(query.to)),
    )


def _resource_type_of(resource_id: str | None) -> ResourceType | None:
    if resource_id is None:
        return None
    return next((kind for prefix, kind in _KNOWN_RESOURCES.items() if is_id(resource_id, prefix)), None)
