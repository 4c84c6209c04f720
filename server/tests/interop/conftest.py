"""A running server with a tenant, and the libraries that verify its tokens."""

import json
import os
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from tests.interop.clients import HERE, Client, User, clients, sign_up
from tests.support import PUBLIC_URL, ServerProcess, run_hj, serve_environment, server_process


class Site(msgspec.Struct, frozen=True):
    """A server process, its tenant, and a publishable key of that."""

    process: ServerProcess
    server: httpx.Client
    environ: dict[str, str]
    tenant_id: str
    publishable: str

    def clients(self, issuer: str = PUBLIC_URL, audience: str | None = None) -> AbstractContextManager[list[Client]]:
        """Have PyJWT and jose, told of the site what an application is told, or something else."""
        return clients(self.process.url, issuer, audience or self.tenant_id)

    def sign_up(self, email: str) -> User:
        """Return somebody who has signed up."""
        return sign_up(self.server, self.publishable, email)

    def hj(self, *arguments: str) -> Any:
        """Run an `hj` command beside the server and return the JSON that it prints."""
        return printed(self.environ, *arguments)

    def key_ids(self) -> list[str]:
        """Return the ids of the keys that are published."""
        return [key["kid"] for key in self.server.get("/.well-known/jwks.json").json()["keys"]]


def printed(environ: dict[str, str], *arguments: str) -> Any:
    """Run an `hj` command and return the JSON that it prints."""
    ended = run_hj(*arguments, "--json", environ=environ)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@contextmanager
def running_site(directory: Path, database_url: str | None = None) -> Generator[Site]:
    """Serve a new tenant for as long as the block runs."""
    environ = serve_environment(directory / "data", database_url)
    with server_process(directory, environ) as process, httpx.Client(base_url=process.url, timeout=30) as server:
        tenant_id = printed(environ, "tenants", "create", "--name", "Acme")["id"]
        of_tenant = ("--tenant", tenant_id, "--name", "web", "--type", "publishable")
        yield Site(process, server, environ, tenant_id, printed(environ, "keys", "create", *of_tenant)["key"])


@pytest.fixture(scope="session", autouse=True)
def jose() -> None:
    """The package of that name, which `make setup` installs."""
    if (HERE / "node_modules" / "jose").is_dir():
        return
    missing = "the package jose is not installed: make setup does it"
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)


@pytest.fixture(scope="module")
def site(jose: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server that the tests of a file share; what its store is makes no difference to what a token looks like."""
    with running_site(tmp_path_factory.mktemp("site")) as running:
        yield running


@pytest.fixture
def own_site(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """A server of the test's own, over each store."""
    url = request.getfixturevalue("postgres_url") if engine == "postgres" else None
    with running_site(tmp_path, url) as running:
        yield running
