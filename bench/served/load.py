"""The client: keep-alive connections in one process that send what they are given, one request after another each.

    python -m bench.served.load < order.json     # prints a Tally as JSON

It speaks just enough HTTP/1.1 to know where an answer ends, so that it takes little from the machine, and as much from
both sides of a comparison.
"""

import asyncio
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import cycle
from typing import Any, Final

import msgspec
import uvloop

_LENGTH: Final = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
_END_OF_HEAD: Final = b"\r\n\r\n"
_SPARE_SECONDS: Final = 30


class Order(msgspec.Struct, frozen=True):
    """What to send where. Each of `requests` is sent once if `once`, else they go round; none after `seconds`."""

    port: int
    connections: int
    seconds: float
    requests: list[bytes]
    once: bool = False


class Tally(msgspec.Struct, frozen=True):
    """What came of an order: how many answers until the last one came, and how long they took.

    Half of them took p50 at most, ninety-nine in a hundred p99.
    """

    answers: int
    seconds: float
    p50_ms: float
    p99_ms: float
    statuses: dict[str, int]

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return self.answers / self.seconds


class _Run:
    def __init__(self, order: Order) -> None:
        self._requests: Iterator[bytes] = iter(order.requests) if order.once else cycle(order.requests)
        self.started = time.perf_counter()
        self.ended = self.started
        self.deadline = self.started + order.seconds
        self.taken: list[float] = []
        self.statuses: Counter[str] = Counter()

    def next_request(self) -> bytes | None:
        """Return what is to be sent now; None when it is over."""
        return None if time.perf_counter() >= self.deadline else next(self._requests, None)

    def note(self, sent_at: float, status: str) -> None:
        """Count an answer."""
        self.ended = time.perf_counter()
        self.taken.append(self.ended - sent_at)
        self.statuses[status] += 1


class _Connection(asyncio.Protocol):
    def __init__(self, run: _Run, done: asyncio.Future[None]) -> None:
        self._run = run
        self._done = done
        self._received = b""
        self._size = 0
        self._sent_at = 0.0

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._received = self._received + data if self._received else data
        if not self._size:
            head_size = self._received.find(_END_OF_HEAD)
            if head_size < 0:
                return
            length = _LENGTH.search(self._received, 0, head_size)
            self._size = head_size + len(_END_OF_HEAD) + (int(length[1]) if length else 0)
        if len(self._received) < self._size:
            return
        self._run.note(self._sent_at, self._received[9:12].decode())
        self._received = b""
        self._size = 0
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(exc or ConnectionError("the server closed a connection"))

    def _send(self) -> None:
        request = self._run.next_request()
        if request is None:
            if not self._done.done():
                self._done.set_result(None)
            self._transport.close()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(request)


def share(ordered: Sequence[float], part: float) -> float:
    """Return the value that `part` of the sorted values do not pass; 0.0 of none."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else 0.0


async def fill(order: Order) -> Tally:
    """Send what is ordered and count the answers. OSError when the server cannot be reached, goes away or hangs."""
    loop = asyncio.get_running_loop()
    run = _Run(order)
    ends: list[asyncio.Future[None]] = [loop.create_future() for _ in range(order.connections)]
    async with asyncio.timeout(order.seconds + _SPARE_SECONDS):
        for end in ends:
            await loop.create_connection(partial(_Connection, run, end), "127.0.0.1", order.port)
        await asyncio.gather(*ends)
    taken = sorted(run.taken)
    return Tally(
        answers=len(taken),
        seconds=max(run.ended - run.started, 1e-9),
        p50_ms=share(taken, 0.5) * 1000,
        p99_ms=share(taken, 0.99) * 1000,
        statuses=dict(run.statuses),
    )


def main() -> int:
    """Read an order from standard input and print its tally."""
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        tally = runner.run(fill(order))
    sys.stdout.buffer.write(msgspec.json.encode(tally))
    return 0


if __name__ == "__main__":
    sys.exit(main())
