"""The mailer as it runs beside the server, with a real mail server at the other end."""

import asyncio
from collections.abc import AsyncIterator, Callable

import msgspec
import pytest

from hellojohn_server.app import build_mailer, build_worker
from hellojohn_server.config import Settings, load_settings
from hellojohn_server.features.emails.schemas import Email
from hellojohn_server.features.tenants.schemas import CreateTenantBody
from hellojohn_server.http.router import Services
from hellojohn_server.kit.clock import SystemClock
from hellojohn_server.kit.email_templates import EmailTemplate
from hellojohn_server.kit.principal import cli_context
from hellojohn_server.storage.database import Database, Transaction
from hellojohn_server.wiring import build_services
from hellojohn_server.worker.mail_transport import make_transport
from tests.conftest import OpenDatabase
from tests.smtp_server import SmtpServer
from tests.support import ENCRYPTION_KEY, PUBLIC_URL

DEADLINE_SECONDS = 30
CHANGED = Email(EmailTemplate.EMAIL_CHANGED, "alice@example.com", "usr_1")


@pytest.fixture
async def server() -> AsyncIterator[SmtpServer]:
    made = SmtpServer()
    yield made
    await made.stop()


@pytest.fixture
async def database(open_database: OpenDatabase) -> AsyncIterator[Database]:
    opened = await open_database()
    yield opened
    await opened.close()


@pytest.fixture
def settings(server: SmtpServer) -> Settings:
    return load_settings(
        {
            "HELLOJOHN_ENCRYPTION_KEY": ENCRYPTION_KEY,
            "HELLOJOHN_PUBLIC_URL": PUBLIC_URL,
            "HELLOJOHN_SMTP_HOST": "127.0.0.1",
            "HELLOJOHN_SMTP_PORT": str(server.port),
            "HELLOJOHN_SMTP_TLS": "none",
            "HELLOJOHN_SMTP_FROM": "no-reply@id.example.com",
        }
    )


def services_of(database: Database, settings: Settings) -> Services:
    """Return the services of one process; times are real here."""
    return build_services(database, settings, SystemClock(), transport=make_transport(settings))


async def make_tenants(services: Services, count: int) -> list[str]:
    context = cli_context("req_test")
    return [(await services.tenants.create_tenant(context, CreateTenantBody(name="Acme"))).id for _ in range(count)]


async def queue(services: Services, tenant_id: str, *addresses: str) -> None:
    async def command(tx: Transaction) -> None:
        for address in addresses:
            await services.emails.queue(tx, msgspec.structs.replace(CHANGED, to=address))

    await services.database.write(tenant_id, command, type(None))


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not condition():  # noqa: ASYNC110 - it comes about in another process, or deep in the mailer
            await asyncio.sleep(0.01)


async def test_what_is_queued_is_sent_without_being_asked_for(
    database: Database, settings: Settings, server: SmtpServer
) -> None:
    services = services_of(database, settings)
    tenant_ids = await make_tenants(services, 6)
    await server.start()
    mailer = build_mailer(services)
    mailer.start()
    expected = [f"user{number}@{tenant_id[4:]}.example.com" for tenant_id in tenant_ids for number in range(6)]
    for start, tenant_id in enumerate(tenant_ids):
        await queue(services, tenant_id, *expected[start * 6 : start * 6 + 6])
    await until(lambda: len(server.recipients) >= len(expected))
    await mailer.stop()
    assert sorted(server.recipients) == sorted(expected)


async def test_while_the_server_is_down_mails_wait_and_then_each_arrives_once(
    database: Database, settings: Settings, server: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hellojohn_server.worker.mailer._FIRST_PAUSE_SECONDS", 0.02)
    monkeypatch.setattr("hellojohn_server.worker.mailer._LONGEST_PAUSE_SECONDS", 0.05)
    monkeypatch.setattr("hellojohn_server.features.emails.service.FIRST_RETRY_MS", 50)
    monkeypatch.setattr("hellojohn_server.features.emails.service.LONGEST_RETRY_MS", 200)
    services = services_of(database, settings)
    tenant_ids = await make_tenants(services, 3)
    mailer = build_mailer(services)
    mailer.start()
    expected = [f"user{number}@{tenant_id[4:]}.example.com" for tenant_id in tenant_ids for number in range(10)]
    for start, tenant_id in enumerate(tenant_ids):
        for address in expected[start * 10 : start * 10 + 10]:
            await queue(services, tenant_id, address)
    await until(lambda: b'hellojohn_emails_total{result="failed"} 0' not in services.metrics.render())
    assert server.taken == []
    await server.start()
    await until(lambda: len(server.recipients) >= len(expected))
    await mailer.stop()
    assert sorted(server.recipients) == sorted(expected)
    figures = services.metrics.render().decode()
    assert 'hellojohn_emails_total{result="sent"} 30.0' in figures
    assert 'hellojohn_emails_total{result="queued"} 30.0' in figures
    assert 'hellojohn_emails_total{result="dead"} 0.0' in figures


async def test_what_another_process_queued_is_found_by_housekeeping(
    database: Database, settings: Settings, server: SmtpServer
) -> None:
    ended = services_of(database, settings)
    [tenant_id] = await make_tenants(ended, 1)
    await queue(ended, tenant_id, "alice@example.com")
    await server.start()
    services = services_of(database, settings)
    mailer = build_mailer(services)
    mailer.start()
    await build_worker(services, settings).work_off()
    await until(lambda: bool(server.recipients))
    await mailer.stop()
    assert server.recipients == ["alice@example.com"]
