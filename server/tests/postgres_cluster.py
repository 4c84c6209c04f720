"""A private PostgreSQL server from the machine's own binaries, for as long as a `with` block (or a command) runs.

    with running_cluster() as cluster:
        url = cluster.create_database("something")

    python server/tests/postgres_cluster.py                  # prints HELLOJOHN_DATABASE_URL=..., runs until interrupted
    python server/tests/postgres_cluster.py -- pytest ...    # runs a command with HELLOJOHN_DATABASE_URL set

It listens on a free loopback port and on a socket in its own temporary directory, and leaves nothing behind. The role
in its URLs owns its databases and is no superuser, as in production.
"""

import argparse
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

ROLE: Final = "hellojohn"
SUPERUSER: Final = "postgres"
_START_SECONDS: Final = 60
_STOP_SECONDS: Final = 30
_PORT_TRIES: Final = 5
_UNPRIVILEGED: Final = ("postgres", "nobody")
_FAST: Final = (
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "max_wal_size=128MB",
    "autovacuum=off",
)
_DEBIAN: Final = Path("/usr/lib/postgresql")
_MEMORY: Final = Path("/dev/shm")
_MEMORY_BYTES: Final = 2**30
_SETTINGS: Final = ("max_connections=200", "shared_buffers=64MB", "log_min_messages=fatal", "client_min_messages=error")


class PostgresMissing(Exception):
    """This machine has no PostgreSQL server binaries, or none that it may run."""


class Cluster:
    """A running server. URLs name the loopback port; psql goes through the socket."""

    def __init__(self, binaries: Path, directory: Path, port: int, process: "subprocess.Popen[bytes]") -> None:
        self.binaries = binaries
        self.directory = directory
        self.port = port
        self.process = process

    def url(self, database: str) -> str:
        """Return the connection URL of a database, as the role that owns it."""
        return f"postgresql://{ROLE}@127.0.0.1:{self.port}/{database}"

    def create_database(self, name: str, template: str = "template0") -> str:
        """Make a database (a copy of `template`, which nobody may be connected to) and return its URL."""
        self.psql(f'CREATE DATABASE "{name}" OWNER {ROLE} TEMPLATE "{template}" STRATEGY file_copy')
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Drop a database, also under those connected to it."""
        self.psql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def psql(self, sql: str, database: str = "postgres") -> str:
        """Run one SQL command as superuser and return what it prints, unaligned and without headers."""
        command = [
            str(self.binaries / "psql"), "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1",
            "-h", str(self.directory), "-p", str(self.port), "-U", SUPERUSER, "-d", database, "-c", sql,
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"psql: {done.stderr.strip()}")
        return done.stdout.strip()


@contextmanager
def running_cluster(*, durable: bool = True, settings: Sequence[str] = ()) -> Generator[Cluster]:
    """Start a server, with further settings, and stop it at the end.

    Without `durable` nothing is flushed, and the data stands in memory where there is room: for tests alone.
    Raises PostgresMissing when there is nothing to start.
    """
    binaries = find_binaries()
    account = _account()
    directory = Path(tempfile.mkdtemp(prefix="hj-postgres-", dir=None if durable else roomy_memory()))
    try:
        if account:
            shutil.chown(directory, account["user"], account["group"])
        _initialise(binaries, directory, account)
        cluster = _start(binaries, directory, account, [*(() if durable else _FAST), *settings])
        try:
            cluster.psql(f"CREATE ROLE {ROLE} LOGIN CREATEDB")
            yield cluster
        finally:
            _stop(cluster.process)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def roomy_memory() -> Path | None:
    """Return the machine's memory file system when what tests write fits in it easily."""
    if os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _MEMORY_BYTES:
        return _MEMORY
    return None


def advised_memory() -> list[str]:
    """Return the settings of memory that PostgreSQL's manual advises for a server: a quarter of the machine's."""
    mebibytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
    return [f"shared_buffers={mebibytes // 4}MB", f"effective_cache_size={mebibytes // 2}MB"]


def find_binaries() -> Path:
    """Return the directory of `initdb` and `postgres`: from PATH, pg_config, or where Debian puts them."""
    candidates: list[Path] = []
    on_path = shutil.which("initdb")
    if on_path is not None:
        candidates.append(Path(on_path).resolve().parent)
    pg_config = shutil.which("pg_config")
    if pg_config is not None:
        found = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=False)
        candidates.append(Path(found.stdout.strip()))
    installed = _DEBIAN.glob("*/bin")
    candidates.extend(sorted(installed, key=lambda path: int(path.parent.name.split(".")[0]), reverse=True))
    for directory in candidates:
        if all((directory / name).is_file() for name in ("initdb", "postgres", "psql")):
            return directory
    raise PostgresMissing("no PostgreSQL server binaries in PATH, by pg_config or in /usr/lib/postgresql/*/bin")


def _account() -> dict[str, Any]:
    """Return subprocess arguments for an unprivileged account: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    for name in _UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise PostgresMissing(f"PostgreSQL does not run as root, and there is no account {' or '.join(_UNPRIVILEGED)}")


def _initialise(binaries: Path, directory: Path, account: dict[str, Any]) -> None:
    command = [
        str(binaries / "initdb"), "--pgdata", str(directory / "data"), "--username", SUPERUSER, "--auth", "trust",
        "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=directory, **account)
    if done.returncode:
        raise RuntimeError(f"initdb: {done.stderr.strip()}")


def _start(binaries: Path, directory: Path, account: dict[str, Any], further: Sequence[str]) -> Cluster:
    settings = [*_SETTINGS, *further]
    for _ in range(_PORT_TRIES):
        port = _free_port()
        with (directory / "log").open("wb") as log:
            process = subprocess.Popen(
                [
                    str(binaries / "postgres"), "-D", str(directory / "data"), "-k", str(directory), "-p", str(port),
                    "-h", "127.0.0.1", *(part for setting in settings for part in ("-c", setting)),
                ],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=directory, start_new_session=True, **account,
            )  # fmt: skip
        if _answers(binaries, directory, port, process):
            return Cluster(binaries, directory, port, process)
        _stop(process)
    raise RuntimeError(f"PostgreSQL did not start: {(directory / 'log').read_text(errors='replace').strip()}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(binaries: Path, directory: Path, port: int, process: "subprocess.Popen[bytes]") -> bool:
    """Wait until the server takes connections; False when it ended (its port was taken meanwhile) or never did."""
    command = [
        str(binaries / "psql"), "-X", "-q", "-h", str(directory), "-p", str(port), "-U", SUPERUSER, "-c", "SELECT 1",
    ]  # fmt: skip
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if subprocess.run(command, capture_output=True, check=False).returncode == 0:
            return True
        time.sleep(0.05)
    return False


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """End the server: fast shutdown, then at once (SIGQUIT), then by force."""
    for request in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if process.poll() is not None:
            return
        process.send_signal(request)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            continue


def main(arguments: Sequence[str]) -> int:
    """Run a cluster around a command, or until interrupted; return the command's exit code."""
    parser = argparse.ArgumentParser(description="Run a private PostgreSQL server.")
    parser.add_argument("--fast", action="store_true", help="do not flush to disk (for tests, not for measurements)")
    parser.add_argument("command", nargs="*", help="run this with HELLOJOHN_DATABASE_URL set, and end with it")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with running_cluster(durable=not options.fast, settings=() if options.fast else advised_memory()) as cluster:
        url = cluster.create_database("hellojohn")
        try:
            if options.command:
                return subprocess.run(
                    options.command, check=False, env={**os.environ, "HELLOJOHN_DATABASE_URL": url}
                ).returncode
            sys.stdout.write(f"HELLOJOHN_DATABASE_URL={url}\n")
            sys.stdout.flush()
            signal.pause()
        except KeyboardInterrupt:
            pass
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
