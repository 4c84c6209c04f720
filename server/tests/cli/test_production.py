"""docs/running-in-production.md: its copies are made beside a running server, and what is restored from them works."""

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import httpx

from tests.cli.conftest import Place
from tests.conftest import Cluster
from tests.support import HJ, run_hj, server_process

PAGE: Final = (Path(__file__).resolve().parents[3] / "docs" / "running-in-production.md").read_text(encoding="utf-8")

STAND_IN: Final = """#!{python}
import sqlite3, sys
for row in sqlite3.connect(sys.argv[1], isolation_level=None).execute(sys.argv[2]):
    print(*row, sep="|")
"""


def blocks(heading: str) -> list[str]:
    """Return what a section says to type: how to copy, and how to restore."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^```sh\n(.*?)^```", section, re.MULTILINE | re.DOTALL)


def type_in(typed: str, environ: Mapping[str, str], **variables: str) -> None:
    done = subprocess.run(
        ["sh", "-euc", typed],
        env=dict(environ) | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr


def make_key(environ: Mapping[str, str]) -> str:
    """Make a tenant and a key of it, as the page says."""
    tenant = run_hj("tenants", "create", "--name", "Acme", "--json", environ=environ)
    tenant_id = re.findall(r"tnt_\w+", tenant.stdout)[0]
    key = run_hj("keys", "create", "--tenant", tenant_id, "--name", "backend", "--json", environ=environ)
    return str(re.findall(r"sk_live_\w+", key.stdout)[0])


class Writer(threading.Thread):
    """Creates users one after another until it is told to stop."""

    def __init__(self, url: str, key: str) -> None:
        super().__init__()
        self._client = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=30)
        self._over = threading.Event()
        self.written = 0

    def run(self) -> None:
        """Write."""
        with self._client as client:
            while not self._over.is_set():
                client.post("/v1/users", json={"email": f"user{self.written}@example.com"}).raise_for_status()
                self.written += 1

    def stop(self) -> None:
        """Wait until the last user is written."""
        self._over.set()
        self.join()


def copy_while_writing(place: Place, key: str, copy: str, **variables: str) -> int:
    """Serve, and copy while users are written; return how many there were before the copy began."""
    with server_process(place.directory, place.environ) as server:
        writer = Writer(server.url, key)
        writer.start()
        try:
            while writer.is_alive() and writer.written < 20:
                writer.join(0.01)
            before = writer.written
            type_in(copy, place.environ, **variables)
        finally:
            writer.stop()
        assert writer.written > before >= 20
    return before


def assert_restored(place: Place, environ: Mapping[str, str], key: str, before: int) -> None:
    """Serve what was restored: every user of before is there and found, and changes are taken."""
    with (
        server_process(place.directory, environ) as server,
        httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {key}"}, timeout=30) as client,
    ):
        assert client.get("/ready").status_code == 200
        assert client.get("/v1/users").json()["pagination"]["total"] >= before
        for number in (0, before - 1):
            found = client.post("/v1/admin/users/search", json={"query": f"user{number}@example"}).json()["data"]
            assert [user["email"] for user in found] == [f"user{number}@example.com"]
        assert client.post("/v1/users", json={"email": "later@example.com"}).status_code == 201


def sqlite_program(directory: Path) -> str:
    """Return a PATH with the program sqlite3: the machine's, or Python's library behind that name."""
    path = f"{HJ.parent}{os.pathsep}{os.environ['PATH']}"
    if shutil.which("sqlite3") is not None:
        return path
    program = directory / "sqlite3"
    program.write_text(STAND_IN.format(python=sys.executable))
    program.chmod(0o700)
    return f"{directory}{os.pathsep}{path}"


def test_copies_of_the_embedded_store(embedded: Place, tmp_path: Path) -> None:
    copy, restore = blocks("Backup and restore: the embedded store")
    places = {
        "BACKUP": str(tmp_path / "backup"),
        "RESTORED": str(tmp_path / "restored"),
        "PATH": sqlite_program(tmp_path),
    }
    key = make_key(embedded.environ)
    before = copy_while_writing(embedded, key, copy, **places)
    type_in(restore, embedded.environ, **places)
    assert_restored(embedded, embedded.environ | {"HELLOJOHN_DATA_DIR": places["RESTORED"]}, key, before)


def test_copies_of_postgresql(shared: Place, cluster: Cluster, tmp_path: Path) -> None:
    copy, restore = blocks("Backup and restore: PostgreSQL")
    name = "test_restored"
    places = {"BACKUP": str(tmp_path), "RESTORED_URL": cluster.create_database(name)}
    tools = {"PATH": f"{cluster.binaries}{os.pathsep}{HJ.parent}{os.pathsep}{os.environ['PATH']}"}
    key = make_key(shared.environ)
    try:
        before = copy_while_writing(shared, key, copy, **places, **tools)
        type_in(restore, shared.environ, **places, **tools)
        assert_restored(shared, shared.environ | {"HELLOJOHN_DATABASE_URL": places["RESTORED_URL"]}, key, before)
    finally:
        cluster.drop_database(name)
