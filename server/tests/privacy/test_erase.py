"""Erasing a person on a real server, and looking for the person afterwards: rows, files, search indexes, log lines."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable

import pytest

from tests.cli.conftest import Place
from tests.cli.test_stop_access import made
from tests.postgres_cluster import Cluster
from tests.privacy.held import HELD
from tests.privacy.person import (
    EMAIL,
    FIRST_EMAIL,
    NEEDLES,
    SECRETS,
    Caller,
    live_a_little,
)
from tests.privacy.stores import EmbeddedStore, PostgresStore, Store, found_in_files, found_in_rows
from tests.smtp_server import SmtpServer
from tests.support import server_process

DEADLINE_SECONDS = 30


@pytest.fixture
async def mail_server() -> AsyncIterator[SmtpServer]:
    """A mail server that takes what goes to the first address, and not yet what goes to the one after it."""
    server = SmtpServer()
    server.refusals[EMAIL] = f"450 4.2.1 <{EMAIL}> come back later"
    await server.start()
    yield server
    await server.stop()


def store_of(place: Place, engine: str, tenant_id: str, request: pytest.FixtureRequest) -> Store:
    if engine == "postgres":
        cluster: Cluster = request.getfixturevalue("cluster")
        return PostgresStore(cluster, place.environ["HELLOJOHN_DATABASE_URL"])
    return EmbeddedStore(place.directory / "data", tenant_id)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not condition():  # noqa: ASYNC110 - it comes about in another process
            await asyncio.sleep(0.05)


async def rows_of_person(store: Store, user_id: str) -> dict[str, int]:
    """Return how many rows of each table are the person's, where any can be."""
    keys = {"id": user_id, "address_key": EMAIL.casefold()}
    return {table: len(await store.rows(table, held.person, **keys)) for table, held in HELD.items() if held.person}


async def found(store: Store, *needles: str) -> dict[str, set[str]]:
    """Return which needles stand in which tables."""
    tables = {table: found_in_rows(await store.rows(table), needles) for table in await store.tables()}
    return {table: needles_here for table, needles_here in tables.items() if needles_here}


async def test_an_erase_leaves_nothing_of_the_person(
    place: Place, engine: str, mail_server: SmtpServer, request: pytest.FixtureRequest
) -> None:
    environ = {
        **place.environ,
        "HELLOJOHN_LOG_LEVEL": "debug",
        "HELLOJOHN_SIGN_IN_FLOOR_MS": "0",
        "HELLOJOHN_SMTP_FROM": "no-reply@id.example.com",
        "HELLOJOHN_SMTP_HOST": "127.0.0.1",
        "HELLOJOHN_SMTP_PORT": str(mail_server.port),
        "HELLOJOHN_SMTP_TLS": "none",
        "HELLOJOHN_TRUSTED_PROXIES": "127.0.0.1",
    }
    with server_process(place.directory, environ) as server:
        tenant_id = made(place, "tenants", "create", "--name", "Acme")["id"]
        key = ("keys", "create", "--tenant", tenant_id, "--name", "test")
        secret = made(place, *key, "--scope", "*", "--scope", "admins:manage")["key"]
        publishable = made(place, *key, "--type", "publishable")["key"]
        store = store_of(place, engine, tenant_id, request)
        async with server.client() as client:
            caller = Caller(client, publishable, secret)
            user_id = await live_a_little(caller)
            await until(lambda: FIRST_EMAIL in mail_server.recipients)
            before = await rows_of_person(store, user_id)
            assert all(before.values()), before
            there = await found(store, *NEEDLES)
            assert set().union(*there.values()) == set(NEEDLES)
            assert await found(store, *SECRETS) == {}
            store.settle()
            in_files = found_in_files(store.files(), NEEDLES)
            assert set().union(*in_files.values()) == set(NEEDLES)

            document = await caller.admin("GET", f"/v1/admin/users/{user_id}/export")
            exported = json.dumps(document, ensure_ascii=False).lower()
            assert [needle for needle in NEEDLES if needle not in exported] == []
            assert [secret for secret in SECRETS if secret in exported] == []

            await caller.admin("DELETE", f"/v1/users/{user_id}?permanent=true", Idempotency_Key="the erase")

            assert not any((await rows_of_person(store, user_id)).values())
            assert await found(store, *NEEDLES, *SECRETS) == {}
            assert len(await store.rows("sign_in_failures")) == 0
    lines = server.printed().lower()
    assert '"request"' in lines
    assert [needle for needle in (*NEEDLES, *SECRETS) if needle in lines] == []
    store.clean()
    assert found_in_files(store.files(), (*NEEDLES, *SECRETS)) == {}
