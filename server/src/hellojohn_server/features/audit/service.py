"""The audit log's own rules: what is written for an act, and in whose transaction."""

import os
from collections.abc import Sequence

from hellojohn_server.features.audit import repository
from hellojohn_server.features.audit.events import (
    SALT_BYTES,
    ActorValues,
    Event,
    ResourceValues,
    document_of,
    hash_of,
)
from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.ids import IdFactory, IdPrefix
from hellojohn_server.kit.principal import Context
from hellojohn_server.storage.database import Transaction


class AuditLog:
    """Records acts, in the transaction that does them."""

    def __init__(self, ids: IdFactory, clock: Clock) -> None:
        self._ids = ids
        self._clock = clock

    async def record(self, tx: Transaction, context: Context, event: Event) -> str:
        """Write one entry in `tx` and return its id. Personal values go to side rows, bound by salted hashes."""
        return (await self.record_many(tx, context, [event]))[0]

    async def record_many(self, tx: Transaction, context: Context, events: Sequence[Event]) -> list[str]:
        """Write an entry for each event in `tx`, set-based, and return their ids in the same order."""
        now = self._clock.now_ms()
        principal = context.principal
        about_actor = document_of(
            ActorValues(principal.name, context.asserted, context.ip_address, context.user_agent)
        )
        entries, values = [], []
        for event in events:
            entry_id = self._ids.new(IdPrefix.EVENT)
            about_resource = document_of(ResourceValues(event.reason, event.changes, event.metadata))
            salts = (os.urandom(SALT_BYTES), os.urandom(SALT_BYTES))
            entries.append(
                repository.EntryRow(
                    id=entry_id,
                    type=str(event.type),
                    source=event.source.value,
                    actor_id=principal.id,
                    actor_type=principal.actor_type.value,
                    on_behalf_of_id=None,
                    on_behalf_of_type=None,
                    resource_id=event.resource_id,
                    resource_type=None if event.resource_type is None else str(event.resource_type),
                    organization_id=event.organization_id,
                    request_id=context.request_id,
                    result=event.result.value,
                    impersonated=False,
                    created_at=now,
                    actor_hash=hash_of(salts[0], about_actor),
                    resource_hash=hash_of(salts[1], about_resource),
                )
            )
            values.append(
                repository.ValuesRow(entry_id, "actor", principal.id, salts[0], about_actor, context.ip_address)
            )
            values.append(repository.ValuesRow(entry_id, "resource", event.resource_id, salts[1], about_resource, None))
        await repository.insert_entries(tx, entries, values)
        return [entry.id for entry in entries]
