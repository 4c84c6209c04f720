"""The processes of a measurement: `hj serve`, the bare server, and the client, each ended by whoever started it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

import msgspec

from bench.served.bare import Plan
from bench.served.load import Order, Tally
from hellojohn_server.config import PREFIX, Settings, to_environ

_HJ: Final = Path(sys.executable).parent / "hj"
_START_SECONDS: Final = 30
_LOOK_SECONDS: Final = 0.01
_STOP_SECONDS: Final = 30


class Running(msgspec.Struct, frozen=True):
    """A server that answers: its port, its process, and how long it took to be ready."""

    port: int
    pid: int
    start_seconds: float


@contextmanager
def running(settings: Settings, log: Path) -> Generator[Running]:
    """Run `hj serve` on a free loopback port with its log in a file, from when it is ready until the block ends."""
    port = _free_port()
    others = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    command = [str(_HJ), "serve", "--port", str(port)]
    started = time.monotonic()
    with _running(command, {**others, **to_environ(settings)}, log) as process:
        _wait_until_answered(port, "/ready", process, log)
        yield Running(port, process.pid, time.monotonic() - started)


@contextmanager
def serving(settings: Settings, log: Path) -> Generator[int]:
    """Run `hj serve` in the same way, and give the port alone."""
    with running(settings, log) as server:
        yield server.port


@contextmanager
def serving_bare(plan: Plan, directory: Path) -> Generator[int]:
    """Run the bare server on a free loopback port, and give the port when it answers; plan and log go to files."""
    port = _free_port()
    path, log = directory / "bare.plan", directory / "bare.log"
    path.write_bytes(msgspec.msgpack.encode(plan))
    with _running([sys.executable, "-m", "bench.served.bare", str(path), str(port)], os.environ, log) as process:
        _wait_until_answered(port, "/v1/users", process, log)
        yield port


def load(order: Order, status: str = "200") -> Tally:
    """Let the client fill an order in a process of its own. RuntimeError if it fails or another status came."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.served.load"],
        input=msgspec.json.encode(order), capture_output=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"the client failed: {done.stderr.decode()}")
    tally = msgspec.json.decode(done.stdout, type=Tally)
    if set(tally.statuses) != {status}:
        raise RuntimeError(f"answers were not all {status}: {tally.statuses}")
    return tally


@contextmanager
def _running(command: Sequence[str], environment: Mapping[str, str], log: Path) -> Generator["subprocess.Popen[bytes]"]:
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own two servers
            command, env=dict(environment), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_answered(port: int, path: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        connection = HTTPConnection("127.0.0.1", port, timeout=_START_SECONDS)
        try:
            connection.request("GET", path)
            if connection.getresponse().status == HTTPStatus.OK:
                return
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(_LOOK_SECONDS)
    raise RuntimeError(f"a server did not become ready (exit code {process.poll()}): {log.read_text()[-2000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
