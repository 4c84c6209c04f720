"""Ending sessions on both stores: which end, what is told of them, and which are left alone."""

import asyncio

import pytest

from hellojohn_server.features.revocation_log.service import RevocationLog
from hellojohn_server.features.sessions.schemas import AccessStopped, Ending, RevokeCause
from hellojohn_server.features.sessions.service import Revocation, SessionService
from hellojohn_server.kit.bell import Bell
from hellojohn_server.kit.ids import IdFactory, IdPrefix
from hellojohn_server.kit.pagination import CursorCodec
from hellojohn_server.storage.database import Database, Exempt, Transaction
from tests.conftest import START_MS
from tests.features.tenants.parts import CURSOR_SECRET
from tests.features.users.parts import INSERT_SESSION

SECOND = 1000
ENDING = Ending(RevokeCause.USER_DISABLED, "key_1", START_MS)


def service(database: Database) -> SessionService:
    return SessionService(database, CursorCodec(CURSOR_SECRET), RevocationLog(database, Bell()))


@pytest.fixture
async def sessions(database: Database, ids: IdFactory, tenant_id: str) -> list[str]:
    """Sessions of three users; the second of usr_a has only its access token left, the third nothing."""

    async def command(tx: Transaction) -> list[str]:
        made = []
        for user_id, expires_in, access_expires_in in (
            ("usr_a", 3600, 300),
            ("usr_a", -1, 60),
            ("usr_a", -1, -1),
            ("usr_b", 3600, 900),
            ("usr_c", 3600, 1800),
        ):
            made.append(ids.new(IdPrefix.SESSION))
            await tx.execute(
                INSERT_SESSION,
                id=made[-1],
                user_id=user_id,
                expires_at=START_MS + expires_in * SECOND,
                access_expires_at=START_MS + access_expires_in * SECOND,
            )
        return made

    return await database.write(tenant_id, command, list[str])


async def revoke(database: Database, tenant_id: str, *user_ids: str) -> Revocation:
    async def command(tx: Transaction) -> Revocation:
        return await service(database).revoke_sessions(tx, user_ids, ENDING)

    return await database.write(tenant_id, command, Revocation, exempt=Exempt.HOUSEKEEPING)


async def test_live_sessions_end_once(database: Database, tenant_id: str, sessions: list[str]) -> None:
    ended = await revoke(database, tenant_id, "usr_a", "usr_b", "usr_nobody")
    assert dict(ended.by_user) == {"usr_a": 2, "usr_b": 1}
    assert ended.stopped() == AccessStopped(sessions_revoked=3, residual_seconds=900)
    again = await revoke(database, tenant_id, "usr_a", "usr_b")
    assert again.stopped() == AccessStopped(0, 0)
    assert (await revoke(database, tenant_id, "usr_c")).stopped() == AccessStopped(1, 1800)


async def test_of_16_at_once_each_session_ends_for_one(database: Database, tenant_id: str, sessions: list[str]) -> None:
    ended = await asyncio.gather(*(revoke(database, tenant_id, "usr_a", "usr_b", "usr_c") for _ in range(16)))
    assert sorted(one.sessions_revoked for one in ended) == [0] * 15 + [4]


async def test_keeping_ends_nothing(database: Database, tenant_id: str, sessions: list[str]) -> None:
    async def command(tx: Transaction) -> list[AccessStopped]:
        kept = [await service(database).keep_sessions(tx, [user_id], ENDING) for user_id in ("usr_a", "usr_nobody")]
        return [one.stopped() for one in kept]

    assert await database.write(tenant_id, command, list[AccessStopped]) == [AccessStopped(0, 300), AccessStopped(0, 0)]
    assert (await revoke(database, tenant_id, "usr_a")).sessions_revoked == 2


async def test_another_tenant_feels_nothing(
    database: Database, tenant_id: str, other_tenant_id: str, sessions: list[str]
) -> None:
    assert (await revoke(database, other_tenant_id, "usr_a")).sessions_revoked == 0
    assert (await revoke(database, tenant_id, "usr_a")).sessions_revoked == 2
