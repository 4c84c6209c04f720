"""The ring of signing keys on both stores: what signs, what verifies, and that a rotation fails no valid token."""

import asyncio

import pytest

from hellojohn_server.features.audit.service import AuditLog
from hellojohn_server.features.revocation_log.service import RevocationLog
from hellojohn_server.features.signing_keys.errors import RotationUnderWay
from hellojohn_server.features.signing_keys.service import SigningKeyService
from hellojohn_server.kit.bell import Bell
from hellojohn_server.kit.ids import CONTROL_TENANT_ID, IdFactory
from hellojohn_server.kit.principal import cli_context
from hellojohn_server.kit.secrets import Sealer, WrongSeal
from hellojohn_server.kit.tokens import AccessClaims, InvalidAccessToken, kid_of
from hellojohn_server.storage.database import Database, Reader
from hellojohn_server.storage.sql import Statement
from tests.conftest import START_MS, ManualClock
from tests.features.tenants.parts import Parts

ISSUER = "https://id.example.com"
HOUR = 3600
LIST_SEALED = Statement("SELECT sealed_private_key FROM signing_keys")


def make_service(
    database: Database, ids: IdFactory, clock: ManualClock, secret: bytes = bytes(32)
) -> SigningKeyService:
    """Return a service as another process has it: with a ring of its own."""
    told = RevocationLog(database, Bell())
    acting = (database, ids, clock, AuditLog(ids, clock))
    return SigningKeyService(*acting, revocations=told, sealer=Sealer(secret), issuer=ISSUER)


@pytest.fixture
def keys(database: Database, ids: IdFactory, clock: ManualClock) -> SigningKeyService:
    return make_service(database, ids, clock)


def claims(issuer: str = ISSUER) -> AccessClaims:
    return AccessClaims(
        iss=issuer, aud="tnt_1", sub="usr_1", sid="ses_1", tenant_id="tnt_1", role="member", email="a@example.com",
        amr=("pwd",), gen=1, iat=START_MS // 1000, exp=START_MS // 1000 + 900, jti="j",
    )  # fmt: skip


async def published(keys: SigningKeyService) -> list[str]:
    return [key.kid for key in (await keys.key_set()).keys]


async def test_the_first_token_makes_the_first_key(
    keys: SigningKeyService, database: Database, ids: IdFactory, clock: ManualClock
) -> None:
    token = await keys.sign(claims())
    assert await keys.verify(token) == claims()
    assert await published(keys) == [kid_of(token)]
    other_process = make_service(database, ids, clock)
    assert await other_process.verify(token) == claims()
    assert kid_of(await other_process.sign(claims())) == kid_of(token)
    entries = await Parts(database, ids, clock).entries(CONTROL_TENANT_ID)
    assert [(entry.type, entry.actor.type.value) for entry in entries] == [("signing_key.created", "system")]


async def test_of_16_processes_at_once_one_makes_the_first_key(
    keys: SigningKeyService, database: Database, ids: IdFactory, clock: ManualClock
) -> None:
    tokens = await asyncio.gather(*(make_service(database, ids, clock).sign(claims()) for _ in range(16)))
    assert len(set(tokens)) == 1
    assert await published(keys) == [kid_of(tokens[0])]


async def test_private_keys_are_sealed(
    keys: SigningKeyService, database: Database, ids: IdFactory, clock: ManualClock
) -> None:
    await keys.sign(claims())

    async def query(reader: Reader) -> bytes:
        return bytes((await reader.fetch_all(LIST_SEALED))[0][0])

    assert len(await database.read(CONTROL_TENANT_ID, query)) > 32
    with pytest.raises(WrongSeal):
        await make_service(database, ids, clock, bytes([1] * 32)).sign(claims())


async def test_a_rotation_fails_no_valid_token(
    keys: SigningKeyService, database: Database, ids: IdFactory, clock: ManualClock
) -> None:
    other_process = make_service(database, ids, clock)
    old_token = await keys.sign(claims())
    old = kid_of(old_token)
    next_key = await make_service(database, ids, clock).rotate(cli_context("req_1"))

    assert await published(other_process) == [old, next_key.id]
    clock.advance(HOUR - 1)
    assert kid_of(await keys.sign(claims())) == kid_of(await other_process.sign(claims())) == old
    clock.advance(61)
    new_token = await keys.sign(claims())
    assert kid_of(new_token) == kid_of(await other_process.sign(claims())) == next_key.id
    for process in (keys, other_process):
        assert await process.verify(new_token) == await process.verify(old_token) == claims()

    clock.advance(24 * HOUR + 240)  # the last token of the old key, a day long, ended at most just now
    for process in (keys, other_process):
        await process.purge_ended()
        assert await published(process) == [next_key.id]
        with pytest.raises(InvalidAccessToken):
            await process.verify(old_token)
        assert await process.verify(new_token) == claims()


async def test_the_old_key_stays_as_long_as_its_last_token(keys: SigningKeyService, clock: ManualClock) -> None:
    old_token = await keys.sign(claims())
    await keys.rotate(cli_context("req_1"))
    clock.advance(HOUR + 24 * HOUR)
    assert await keys.verify(old_token) == claims()
    await keys.purge_ended()
    assert await keys.verify(old_token) == claims()
    clock.advance(300)
    with pytest.raises(InvalidAccessToken):
        await keys.verify(old_token)


async def test_one_rotation_at_a_time(
    keys: SigningKeyService, database: Database, ids: IdFactory, clock: ManualClock
) -> None:
    await keys.sign(claims())
    rotations = await asyncio.gather(*(keys.rotate(cli_context("req_1")) for _ in range(16)), return_exceptions=True)
    assert [type(one).__name__ for one in rotations].count("SigningKey") == 1
    assert [isinstance(one, RotationUnderWay) for one in rotations].count(True) == 15
    assert len(await published(keys)) == 2
    entries = await Parts(database, ids, clock).entries(CONTROL_TENANT_ID)
    assert [entry.type for entry in entries] == ["signing_key.created", "signing_key.rotated"]
    assert entries[1].changes is not None
    assert entries[1].changes["signs_from"][1] == "2026-09-21T15:13:20.000Z"


async def test_compromised_keys_end_at_once(
    keys: SigningKeyService, database: Database, ids: IdFactory, clock: ManualClock
) -> None:
    other_process = make_service(database, ids, clock)
    old_token = await other_process.sign(claims())
    await keys.rotate(cli_context("req_1"))
    await keys.rotate(cli_context("req_2"), compromised=True)
    token = await keys.sign(claims())
    assert len(await published(keys)) == 1
    clock.advance(1)  # a process that has seen nothing of the new key
    for process in (keys, other_process):
        with pytest.raises(InvalidAccessToken):
            await process.verify(old_token)
    assert await other_process.verify(token) == claims()
    assert kid_of(await other_process.sign(claims())) == kid_of(token)


async def test_a_clock_behind_the_first_key_signs_with_it(
    keys: SigningKeyService, database: Database, ids: IdFactory, clock: ManualClock
) -> None:
    first = kid_of(await keys.sign(claims()))
    await keys.rotate(cli_context("req_1"))
    clock.advance(-5)
    behind = make_service(database, ids, clock)
    assert kid_of(await behind.sign(claims())) == first


async def test_a_clock_that_is_put_back_leaves_no_old_ring_in_use(
    keys: SigningKeyService, database: Database, ids: IdFactory, clock: ManualClock
) -> None:
    old = await keys.sign(claims())
    clock.advance(2 * HOUR)
    other_process = make_service(database, ids, clock)
    await other_process.verify(old)
    clock.advance(-HOUR)
    await keys.rotate(cli_context("req_1"), compromised=True)
    assert await other_process.verify(await keys.sign(claims())) == claims()
    with pytest.raises(InvalidAccessToken):
        await other_process.verify(old)


async def test_what_is_not_ours_is_refused(keys: SigningKeyService, clock: ManualClock) -> None:
    token = await keys.sign(claims())
    with pytest.raises(InvalidAccessToken):
        await keys.verify(await keys.sign(claims("https://other.example.com")))
    for text in ("", "eyJ", token[:-4], f"{token}.x"):
        with pytest.raises(InvalidAccessToken):
            await keys.verify(text)
