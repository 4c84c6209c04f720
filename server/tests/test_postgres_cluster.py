"""The private PostgreSQL server of tests, benchmarks and CI."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import postgres_cluster
from tests.postgres_cluster import Cluster, PostgresMissing, advised_memory, find_binaries, running_cluster


def test_databases_come_and_go(cluster: Cluster) -> None:
    url = cluster.create_database("coming")
    assert url == f"postgresql://hellojohn@127.0.0.1:{cluster.port}/coming"
    assert cluster.psql("SELECT current_database()", "coming") == "coming"

    cluster.drop_database("coming")
    cluster.drop_database("coming")
    with pytest.raises(RuntimeError, match="does not exist"):
        cluster.psql("SELECT 1", "coming")


def test_the_role_of_its_urls_is_no_superuser(cluster: Cluster) -> None:
    assert cluster.psql("SELECT rolsuper FROM pg_roles WHERE rolname = 'hellojohn'") == "f"


def test_measurements_have_the_memory_that_its_manual_advises() -> None:
    with running_cluster(settings=["shared_buffers=1GB", *advised_memory()]) as measured:
        pages = int(measured.psql("SELECT setting FROM pg_settings WHERE name = 'shared_buffers'"))
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert 0.24 < pages * 8192 / machine <= 0.25


def test_a_command_is_run_beside_a_server_that_ends_with_it() -> None:
    script = "import os; print(os.environ['HELLOJOHN_DATABASE_URL']); raise SystemExit(7)"
    done = subprocess.run(
        [sys.executable, postgres_cluster.__file__, "--fast", "--", sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 7, done.stderr
    port = done.stdout.rpartition(":")[2].partition("/")[0]
    listening = Path("/proc/net/tcp").read_text() if Path("/proc/net/tcp").exists() else ""
    assert f"0100007F:{int(port):04X} 00000000:0000 0A" not in listening


def test_a_machine_without_its_binaries_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(postgres_cluster, "_DEBIAN", tmp_path)

    with pytest.raises(PostgresMissing, match="no PostgreSQL server binaries"):
        find_binaries()
