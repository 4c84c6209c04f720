"""An answer to COMMIT that is lost: the write may have taken effect, so it is not run again, and the caller is told."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from hellojohn_server.features.audit.service import AuditLog
from hellojohn_server.kit.idempotency import Idempotency
from hellojohn_server.kit.ids import IdFactory, IdPrefix
from hellojohn_server.storage.database import Transaction
from hellojohn_server.storage.errors import StoreUnavailable
from hellojohn_server.storage.postgres import PostgresDatabase
from tests.conftest import ManualClock
from tests.storage.rows import Rows, list_ids, list_recorded


class Line:
    """A loopback relay to the server. While `cut` is set, whoever sends COMMIT loses the line once it is delivered."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.cut = False
        self.cuts = 0

    async def relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._port)
        answers = asyncio.create_task(self._answers(server_reader, writer))
        try:
            while data := await reader.read(65_536):
                if self.cut and b"COMMIT" in data:
                    self.cuts += 1
                    answers.cancel()
                    server_writer.write(data)
                    await server_reader.read(65_536)
                    break
                server_writer.write(data)
        finally:
            answers.cancel()
            server_writer.close()
            writer.close()

    @staticmethod
    async def _answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
        writer.close()


@pytest.fixture
async def line(postgres_url: str) -> AsyncIterator[tuple[Line, str]]:
    """A relay, and the URL of the test's database through it."""
    address = urlsplit(postgres_url)
    assert address.port is not None
    relay = Line(address.port)
    listener = await asyncio.start_server(relay.relay, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    yield relay, postgres_url.replace(f":{address.port}/", f":{port}/")
    listener.close()


async def test_a_lost_answer_to_commit_is_unavailable_and_a_retry_with_its_key_is_answered(
    line: tuple[Line, str], clock: ManualClock, ids: IdFactory
) -> None:
    relay, url = line
    rows, tenant = Rows(ids, AuditLog(ids, clock)), ids.new(IdPrefix.TENANT)
    store = await PostgresDatabase.open(url, clock)
    await store.create_tenant(tenant)
    runs: list[str] = []

    async def command(tx: Transaction) -> str:
        runs.append(f"org_{len(runs)}")
        return await rows.insert(runs[-1])(tx)

    def key() -> Idempotency:
        return Idempotency(key="k", scope=("key_1", "POST", "/v1/things"), credential="sk_test_x", request=b"{}")

    try:
        relay.cut = True
        with pytest.raises(StoreUnavailable):
            await store.write(tenant, command, str, idempotency=key())
        relay.cut = False

        assert (relay.cuts, runs) == (1, ["org_0"])
        assert await store.read(tenant, list_ids) == ["org_0"]
        assert await store.write(tenant, command, str, idempotency=key()) == "org_0"
        assert runs == ["org_0"]
        assert await store.read(tenant, list_recorded) == ["org_0"]
    finally:
        await store.close()
