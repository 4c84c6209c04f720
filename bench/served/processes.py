"""The processes of a measurement: `hj serve`, the bare server, and the client, each ended by whoever started it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx
import msgspec

from bench.served.bare import Plan
from bench.served.load import Order, Tally
from hellojohn_server.config import PREFIX, Settings, to_environ

_HJ: Final = Path(sys.executable).parent / "hj"
_START_SECONDS: Final = 30
_STOP_SECONDS: Final = 30


@contextmanager
def serving(settings: Settings, log: Path) -> Generator[int]:
    """Run `hj serve` on a free loopback port with its log in a file, and give the port when it is ready."""
    port = _free_port()
    others = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    command = [str(_HJ), "serve", "--port", str(port)]
    with _running(command, {**others, **to_environ(settings)}, log) as process:
        _wait_until_answered(f"http://127.0.0.1:{port}/ready", process, log)
        yield port


@contextmanager
def serving_bare(plan: Plan, directory: Path) -> Generator[int]:
    """Run the bare server on a free loopback port, and give the port when it answers; plan and log go to files."""
    port = _free_port()
    path, log = directory / "bare.plan", directory / "bare.log"
    path.write_bytes(msgspec.msgpack.encode(plan))
    with _running([sys.executable, "-m", "bench.served.bare", str(path), str(port)], os.environ, log) as process:
        _wait_until_answered(f"http://127.0.0.1:{port}/v1/users", process, log)
        yield port


def load(order: Order) -> Tally:
    """Let the client fill an order in a process of its own. RuntimeError when it fails or an answer was not 200."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.served.load"],
        input=msgspec.json.encode(order), capture_output=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"the client failed: {done.stderr.decode()}")
    tally = msgspec.json.decode(done.stdout, type=Tally)
    if set(tally.statuses) != {"200"}:
        raise RuntimeError(f"answers were not all 200: {tally.statuses}")
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


def _wait_until_answered(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(url).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise RuntimeError(f"a server did not become ready (exit code {process.poll()}): {log.read_text()[-2000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
