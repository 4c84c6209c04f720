"""The contract of both stores: a request that is sent again under its Idempotency-Key has one effect and one answer."""

import asyncio
import contextlib

import msgspec
import pytest
from cryptography.exceptions import InvalidTag

from hellojohn_server.features.audit.service import AuditLog
from hellojohn_server.kit.errors import Conflict, IdempotencyKeyReused
from hellojohn_server.kit.idempotency import KEEP_SECONDS, Idempotency
from hellojohn_server.kit.ids import CONTROL_TENANT_ID, IdFactory, IdPrefix
from hellojohn_server.storage.database import NO_MARK, Command, Database, Guard, Pending, Reader, Row, Transaction
from hellojohn_server.storage.errors import StoreUnavailable, UnauditedChange, UniqueViolation
from hellojohn_server.storage.housekeeping import get_next_expiry, purge_idempotency_records
from hellojohn_server.storage.sql import Statement
from tests.conftest import ManualClock
from tests.storage.rows import INSERT_ORGANIZATION, Rows, list_ids, list_recorded

CREDENTIAL = "sk_test_the_whole_secret"
GET_RECORDS = Statement("SELECT key_hash, request_hash, answer FROM idempotency_records WHERE tenant_id = :tenant_id")


class Made(msgspec.Struct, frozen=True):
    """A command's result with everything that a result may hold."""

    id: str
    secret: str
    count: int = 1
    note: str | None = None


@pytest.fixture
def rows(ids: IdFactory, clock: ManualClock) -> Rows:
    return Rows(ids, AuditLog(ids, clock))


def key(
    text: str = "key-1", *, request: bytes = b"{}", credential: str = CREDENTIAL, path: str = "/v1/things"
) -> Idempotency:
    return Idempotency(key=text, scope=("key_1", "POST", path), credential=credential, request=request)


def make(rows: Rows, ids: IdFactory) -> Command[Made]:
    """Return a command that makes something new each time it runs."""

    async def command(tx: Transaction) -> Made:
        new_id = ids.new(IdPrefix.ORGANIZATION)
        return Made(await rows.insert(new_id)(tx), f"shown-once-{new_id}")

    return command


async def records(database: Database, tenant_id: str) -> list[Row]:
    async def query(reader: Reader) -> list[Row]:
        return await reader.fetch_all(GET_RECORDS)

    return await database.read(tenant_id, query)


async def test_the_same_request_again_gets_the_first_answer(
    database: Database, tenant_id: str, rows: Rows, ids: IdFactory
) -> None:
    first, again = key(), key()
    made = await database.write(tenant_id, make(rows, ids), Made, idempotency=first)

    assert await database.write(tenant_id, make(rows, ids), Made, idempotency=again) == made
    assert (first.used, first.replayed) == (True, False)
    assert (again.used, again.replayed) == (True, True)
    assert await database.read(tenant_id, list_ids) == [made.id]
    assert await database.read(tenant_id, list_recorded) == [made.id]


async def test_eight_at_once_are_one_effect_and_one_answer(
    database: Database, tenant_id: str, rows: Rows, ids: IdFactory
) -> None:
    keys = [key() for _ in range(8)]
    answers = await asyncio.gather(*(database.write(tenant_id, make(rows, ids), Made, idempotency=one) for one in keys))

    assert all(answer == answers[0] for answer in answers)
    assert sum(one.replayed for one in keys) == 7
    assert await database.read(tenant_id, list_ids) == [answers[0].id]
    assert await database.read(tenant_id, list_recorded) == [answers[0].id]


@pytest.mark.parametrize(
    "other",
    [
        {"text": "key-2"},
        {"path": "/v1/others"},
    ],
)
async def test_another_key_or_operation_is_another_request(
    database: Database, tenant_id: str, rows: Rows, ids: IdFactory, other: dict[str, str]
) -> None:
    first = await database.write(tenant_id, make(rows, ids), Made, idempotency=key())
    second = await database.write(tenant_id, make(rows, ids), Made, idempotency=key(**other))

    assert await database.read(tenant_id, list_ids) == [first.id, second.id]


async def test_another_request_under_the_key_is_refused(
    database: Database, tenant_id: str, rows: Rows, ids: IdFactory
) -> None:
    made = await database.write(tenant_id, make(rows, ids), Made, idempotency=key())

    with pytest.raises(IdempotencyKeyReused):
        await database.write(tenant_id, make(rows, ids), Made, idempotency=key(request=b'{"other": 1}'))

    assert await database.read(tenant_id, list_ids) == [made.id]
    assert await database.write(tenant_id, make(rows, ids), Made, idempotency=key()) == made


async def test_another_tenant_has_its_own_keys(
    database: Database, tenant_id: str, other_tenant_id: str, rows: Rows, ids: IdFactory
) -> None:
    made = await database.write(tenant_id, make(rows, ids), Made, idempotency=key())

    theirs = key(request=b"another")
    assert (await database.write(other_tenant_id, make(rows, ids), Made, idempotency=theirs)).id != made.id
    assert not theirs.replayed
    assert len(await records(database, CONTROL_TENANT_ID)) == 0


async def test_a_failure_stores_nothing_and_may_be_sent_again(
    database: Database, tenant_id: str, rows: Rows, ids: IdFactory
) -> None:
    async def refuse(_: Transaction) -> Made:
        raise Conflict

    async def unaudited(tx: Transaction) -> Made:
        await tx.execute(INSERT_ORGANIZATION, id="org_1", name="unaudited")
        return Made("org_1", "")

    for command, error in ((refuse, Conflict), (unaudited, UnauditedChange)):
        with pytest.raises(error):
            await database.write(tenant_id, command, Made, idempotency=key())
        assert await records(database, tenant_id) == []

    made = await database.write(tenant_id, make(rows, ids), Made, idempotency=key())
    assert await database.read(tenant_id, list_ids) == [made.id]


async def test_a_key_that_was_taken_is_reported_under_a_key_too(database: Database, tenant_id: str, rows: Rows) -> None:
    await database.write(tenant_id, rows.insert("org_1"), str)

    with pytest.raises(UniqueViolation) as taken:
        await database.write(tenant_id, rows.insert("org_1"), str, idempotency=key())
    assert (taken.value.table, taken.value.column) == ("organizations", "id")


async def test_a_guard_refuses_a_replay_too(database: Database, tenant_id: str, rows: Rows, ids: IdFactory) -> None:
    seen: list[str] = []

    def guard(*, open_: bool) -> Guard:
        async def check(tx: Transaction) -> None:
            seen.append(tx.tenant_id)
            if not open_:
                raise Conflict("no longer yours")

        return check

    made = await database.write(tenant_id, make(rows, ids), Made, guard=guard(open_=True), idempotency=key())
    replayed = await database.write(tenant_id, make(rows, ids), Made, guard=guard(open_=True), idempotency=key())
    with pytest.raises(Conflict, match="no longer yours"):
        await database.write(tenant_id, make(rows, ids), Made, guard=guard(open_=False), idempotency=key())

    assert replayed == made
    assert seen == [tenant_id] * 3


async def test_a_key_is_kept_for_a_day(
    database: Database, tenant_id: str, rows: Rows, ids: IdFactory, clock: ManualClock
) -> None:
    made = await database.write(tenant_id, make(rows, ids), Made, idempotency=key())

    clock.advance(KEEP_SECONDS - 0.001)
    assert await database.write(tenant_id, make(rows, ids), Made, idempotency=key()) == made

    clock.advance(0.001)
    late = key(request=b"another request")
    again = await database.write(tenant_id, make(rows, ids), Made, idempotency=late)
    assert again != made
    assert not late.replayed
    assert len(await records(database, tenant_id)) == 1

    clock.advance(KEEP_SECONDS - 0.001)
    assert await database.write(tenant_id, make(rows, ids), Made, idempotency=key(request=b"another request")) == again


async def test_eight_at_once_after_a_day_are_one_effect(
    database: Database, tenant_id: str, rows: Rows, ids: IdFactory, clock: ManualClock
) -> None:
    made = await database.write(tenant_id, make(rows, ids), Made, idempotency=key())
    clock.advance(KEEP_SECONDS)

    answers = await asyncio.gather(
        *(database.write(tenant_id, make(rows, ids), Made, idempotency=key()) for _ in range(8))
    )

    assert all(answer == answers[0] for answer in answers)
    assert await database.read(tenant_id, list_ids) == [made.id, answers[0].id]


async def test_the_answer_is_sealed_for_who_presented_the_credential(
    database: Database, tenant_id: str, rows: Rows, ids: IdFactory
) -> None:
    made = await database.write(tenant_id, make(rows, ids), Made, idempotency=key())

    [(key_hash, request_hash, answer)] = await records(database, tenant_id)
    stored = f"{key_hash} {request_hash}".encode() + answer
    for told in (made.secret, made.id, CREDENTIAL, "key-1", "/v1/things"):
        assert told.encode() not in stored
    assert msgspec.json.decode(key().open(answer), type=Made) == made
    for other in (key(credential="sk_test_another"), key("key-2"), key(request=b"another")):
        with pytest.raises(InvalidTag):
            other.open(answer)


async def test_results_of_every_form_come_back_alike(database: Database, tenant_id: str, rows: Rows) -> None:
    forms = [
        (None, type(None)),
        (3, int),
        ("text", str),
        ([Made("a", "b", 2, "c")], list[Made]),
        (Made("a", "b"), Made | None),
        (("a", None), tuple[str, int | None]),
    ]
    for number, (value, form) in enumerate(forms):

        async def command(tx: Transaction, *, row: str = f"org_{number}", answer: object = value) -> object:
            await rows.insert(row)(tx)
            return answer

        for _ in range(2):
            outcome = await database.write(tenant_id, command, form, idempotency=key(f"key-{number}"))
            assert outcome == value


async def test_expired_records_are_found_and_thrown_away(
    database: Database, tenant_id: str, other_tenant_id: str, rows: Rows, ids: IdFactory, clock: ManualClock
) -> None:
    async def pending() -> list[str]:
        return [found.tenant_id for found in await database.pending(clock.now_ms(), 10)]

    await database.write(tenant_id, make(rows, ids), Made, idempotency=key())
    clock.advance(60)
    await database.write(other_tenant_id, make(rows, ids), Made, idempotency=key())
    await database.write(tenant_id, make(rows, ids), Made, idempotency=key("key-2"))
    assert await pending() == []

    clock.advance(KEEP_SECONDS - 60)
    assert await pending() == [tenant_id]
    clock.advance(60)
    assert await pending() == [tenant_id, other_tenant_id]
    assert len(await database.pending(clock.now_ms(), 1)) == 1

    for found in await database.pending(clock.now_ms(), 10):
        await purge_idempotency_records(database, found.tenant_id, clock.now_ms())
        await database.settle(found, get_next_expiry)
    assert await pending() == []
    assert await records(database, tenant_id) == []


async def test_tenants_that_are_not_asked_for_make_room_for_others(
    database: Database, tenant_id: str, other_tenant_id: str, rows: Rows, ids: IdFactory, clock: ManualClock
) -> None:
    async def pending(*besides: str) -> list[str]:
        return [found.tenant_id for found in await database.pending(clock.now_ms(), 1, besides)]

    for tenant in (tenant_id, other_tenant_id):
        await database.write(tenant, make(rows, ids), Made, idempotency=key())
        clock.advance(60)
    clock.advance(KEEP_SECONDS)

    assert await pending() == [tenant_id]
    assert await pending(tenant_id) == [other_tenant_id]
    assert await pending(other_tenant_id, "tnt_unknown") == [tenant_id]
    assert await pending(tenant_id, other_tenant_id) == []


async def test_a_tenant_whose_next_due_time_cannot_be_read_stays_pending(
    database: Database, tenant_id: str, rows: Rows, ids: IdFactory, clock: ManualClock
) -> None:
    async def pending() -> list[Pending]:
        return await database.pending(clock.now_ms(), 10)

    async def next_due(_: Reader) -> int | None:
        raise StoreUnavailable

    await database.write(tenant_id, make(rows, ids), Made, idempotency=key())
    clock.advance(KEEP_SECONDS)
    for found in await pending():
        with contextlib.suppress(StoreUnavailable):  # where there are no marks nothing is asked
            await database.settle(found, next_due)

    assert [found.tenant_id for found in await pending()] == [tenant_id]


async def test_a_tenant_without_a_mark_is_found_again_when_it_is_settled(
    database: Database, tenant_id: str, rows: Rows, ids: IdFactory, clock: ManualClock
) -> None:
    async def nothing_is_due(_: Reader) -> int | None:
        return None

    await database.write(tenant_id, make(rows, ids), Made, idempotency=key())
    clock.advance(KEEP_SECONDS)
    for found in await database.pending(clock.now_ms(), 10):
        await database.settle(found, nothing_is_due)

    await database.settle(Pending(tenant_id, clock.now_ms(), NO_MARK), get_next_expiry)
    assert [one.tenant_id for one in await database.pending(clock.now_ms(), 10)] == [tenant_id]


async def test_settling_keeps_what_is_due_later(
    database: Database, tenant_id: str, rows: Rows, ids: IdFactory, clock: ManualClock
) -> None:
    await database.write(tenant_id, make(rows, ids), Made, idempotency=key())
    clock.advance(60)
    await database.write(tenant_id, make(rows, ids), Made, idempotency=key("key-2"))
    clock.advance(KEEP_SECONDS - 60)

    [found] = await database.pending(clock.now_ms(), 10)
    await purge_idempotency_records(database, tenant_id, clock.now_ms())
    assert await database.read(tenant_id, get_next_expiry) == clock.now_ms() + 60_000
    await database.settle(found, get_next_expiry)

    assert await database.pending(clock.now_ms(), 10) == []
    clock.advance(60)
    assert [one.tenant_id for one in await database.pending(clock.now_ms(), 10)] == [tenant_id]
