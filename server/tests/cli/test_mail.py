"""Mail of a real server process: while the mail server is down, across a kill, and when it is up again."""

import asyncio
import signal
from collections.abc import AsyncIterator

import httpx
import pytest

from hellojohn_server.cli.parts import Tools
from hellojohn_server.features.keys.schemas import CreateKeyBody
from hellojohn_server.features.tenants.schemas import CreateTenantBody
from tests.cli.conftest import Place
from tests.smtp_server import SmtpServer
from tests.support import EVERYTHING, server_process

USERS = 8
DEADLINE_SECONDS = 60


@pytest.fixture
async def mail_server() -> AsyncIterator[SmtpServer]:
    made = SmtpServer()
    yield made
    await made.stop()


async def make_key(place: Place) -> str:
    keys: list[str] = []

    async def work(tools: Tools) -> None:
        tenant = await tools.tenants.create_tenant(tools.context(), CreateTenantBody(name="Acme"))
        body = CreateKeyBody(name="test", scopes=list(EVERYTHING))
        keys.append((await tools.keys.create_key(tools.context(tenant.id), tenant.id, body)).key)

    await place.use(work)
    return keys[0]


async def reset(client: httpx.AsyncClient, number: int) -> str:
    """Make a user whose password must be reset, and return the address."""
    address = f"user{number}@example.com"
    user = (await client.post("/v1/users", json={"email": address, "password": "correct horse battery"})).json()
    answer = await client.post(f"/v1/users/{user['id']}/password-reset", json={})
    assert answer.status_code == 202, answer.text
    return address


async def test_what_was_promised_while_the_mail_server_was_down_arrives_once(
    place: Place, mail_server: SmtpServer
) -> None:
    key = await make_key(place)
    environ = {
        **place.environ,
        "HELLOJOHN_SMTP_HOST": "127.0.0.1",
        "HELLOJOHN_SMTP_PORT": str(mail_server.port),
        "HELLOJOHN_SMTP_TLS": "none",
        "HELLOJOHN_SMTP_FROM": "no-reply@id.example.com",
        "HELLOJOHN_HOUSEKEEPING_SECONDS": "1",
    }
    with server_process(place.directory, environ) as server:
        async with server.client(key) as client:
            promised = [await reset(client, number) for number in range(USERS)]
        server.stop(signal.SIGKILL)
    assert mail_server.taken == []
    await mail_server.start()
    with server_process(place.directory, environ) as server:
        async with server.client(key) as client, asyncio.timeout(DEADLINE_SECONDS):
            promised.append(await reset(client, USERS))
            statuses: set[str] = set()
            while statuses != {"sent"}:
                await asyncio.sleep(0.1)
                page = (await client.get("/v1/admin/emails?limit=100")).json()["data"]
                statuses = {row["status"] for row in page}
        assert server.stop() == 0
    assert sorted(mail_server.recipients) == sorted(promised)
    assert len({str(message["Message-ID"]) for message in mail_server.taken}) == len(promised)
