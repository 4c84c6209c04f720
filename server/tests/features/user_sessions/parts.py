"""Sessions and bans put in the store as they are, where a sign-in for each would take long or no call makes it."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from hellojohn_server.features.sessions.repository import insert_sessions
from hellojohn_server.features.sessions.schemas import Session
from hellojohn_server.kit.ids import IdPrefix
from hellojohn_server.storage.database import Exempt, Transaction
from hellojohn_server.storage.sql import Kind, Statement
from tests.conftest import START_MS
from tests.features.auth.parts import Front

MINUTE: Final = 60_000
DAY: Final = 86_400_000
IMPERSONATOR: Final = {
    "impersonator_id": "key_01HZZZZZZZZZZZZZZZZZZZZZZZ",
    "impersonator_type": "api_key",
    "impersonator_name": "support desk",
    "impersonator_asserted": "jane@example.com",
    "impersonation_reason": "ticket 7",
}

_BAN: Final = Statement(
    """
    UPDATE users SET banned_at = :now, banned_until = :until, ban_reason = 'spam'
    WHERE tenant_id = :tenant_id AND id = :user_id
    """,
    kind=Kind.BOOKKEEPING,
)


def a_session(front: Front, user_id: str, **facts: Any) -> Session:
    """Return a session of a user that began when the test did, with these facts in place of a sign-in's."""
    sound = Session(front.app.services.ids.new(IdPrefix.SESSION), user_id, START_MS, START_MS + DAY, START_MS + MINUTE)
    return msgspec.structs.replace(sound, **facts)


async def put(front: Front, sessions: Sequence[Session]) -> None:
    """Put sessions in the tenant's store."""

    async def command(tx: Transaction) -> None:
        await insert_sessions(tx, sessions)

    await front.app.services.database.write(front.tenant_id, command, type(None), exempt=Exempt.HOUSEKEEPING)


async def put_one(front: Front, user_id: str, **facts: Any) -> str:
    """Put a session of a user in the store and return its id."""
    session = a_session(front, user_id, **facts)
    await put(front, [session])
    return session.id


async def ban(front: Front, user_id: str, until: int) -> None:
    """Ban a user and leave the sessions as they are, which no call does."""

    async def command(tx: Transaction) -> None:
        await tx.execute(_BAN, user_id=user_id, now=START_MS, until=until)

    await front.app.services.database.write(front.tenant_id, command, type(None))
