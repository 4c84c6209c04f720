"""The server against the bare engine, over HTTP, at sixteen clients, on both stores.

    make bench                                                      # prints PASS or FAIL for each operation
    python -m bench.served --store sqlite --seconds 0.3 --rounds 1 --users 400 --quiet-verdict

HELLOJOHN_DATABASE_URL names the PostgreSQL server: two databases are made there and dropped again. bench/README.md says
what is compared and how.
"""

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import AsyncExitStack, ExitStack
from itertools import islice
from pathlib import Path
from typing import Any, Final, cast

import httpx
import msgspec

from bench.results import Figure, command_line, keep, median_of, postgres_version, this_machine, verdict_of
from bench.served.load import Order, Tally
from bench.served.operations import WANTED_RATIO, Name, Person, call_of
from bench.served.processes import load, serving, serving_bare
from bench.served.programs import Engine
from bench.served.stores import PEOPLE, Prepared, postgres_stores, sqlite_stores

CLIENTS: Final = 16
PART: Final = "served"
_ROOT: Final = Path(__file__).parents[2]
_URL_VARIABLE: Final = "HELLOJOHN_DATABASE_URL"
_WARM_UP_SECONDS: Final = 0.5
_KEPT: Final = 40
"""Users who are never disabled: they sign in and are impersonated."""

_VARYING: Final = frozenset(
    {
        "access_token", "access_token_expires_at", "expires_at", "last_active_at", "last_sign_in_at", "next_cursor",
        "refresh_token", "refresh_token_expires_at", "residual_seconds", "session_id", "updated_at",
    }
)  # fmt: skip
"""Values of an answer that are another each time, or made of the moment. Of these the length is compared."""


class Options(msgspec.Struct, frozen=True):
    """How much is measured."""

    seconds: float
    rounds: int
    users: int


class Side:
    """One of the two servers, and whom the next requests to it are about."""

    def __init__(self, port: int, prepared: Prepared) -> None:
        self._port = port
        self._prepared = prepared
        people = prepared.people
        self._kept = people[-_KEPT:]
        self._to_disable = iter(people[:-_KEPT])
        self._everyone = people

    def answer(self, name: Name) -> bytes:
        """Return the answer to one request. RuntimeError when it is refused."""
        call = call_of(name, self._prepared.caller, next(self._people(name, 1)))
        url = f"http://127.0.0.1:{self._port}{call.path}"
        answer = httpx.request(call.method, url, headers=call.headers, content=call.content)
        if not answer.is_success:
            raise RuntimeError(f"{name}: {answer.status_code} {answer.text}")
        return answer.content

    def measure(self, name: Name, seconds: float, at_most: int) -> Tally:
        """Send requests for so long. Everyone is disabled once: `at_most` so many in this round."""
        calls = [call_of(name, self._prepared.caller, person) for person in self._people(name, at_most)]
        requests = [call.wire(self._port) for call in calls]
        return load(Order(self._port, CLIENTS, seconds, requests, once=name is Name.DISABLE))

    def _people(self, name: Name, at_most: int) -> Iterator[Person]:
        if name is Name.DISABLE:
            return islice(self._to_disable, at_most)
        return iter(self._everyone if name is Name.GET else self._kept)


def require_same(name: Name, served: bytes, bare: bytes) -> None:
    """Raise RuntimeError when the two sides do not answer the same bytes, but for what is another each time."""
    one, other = (_shape(msgspec.json.decode(answer)) for answer in (served, bare))
    if one != other:
        raise RuntimeError(f"{name}: the answers differ:\n{served.decode()}\n{bare.decode()}")


def _shape(value: Any, *, varies: bool = False) -> Any:
    match value:
        case dict():
            fields = cast("dict[str, Any]", value)
            return [(name, _shape(inner, varies=name in _VARYING)) for name, inner in fields.items()]
        case list():
            return [_shape(inner) for inner in cast("Iterable[Any]", value)]
        case _:
            return len(str(value)) if varies else value


def measure_all(engine: Engine, served: Side, bare: Side, options: Options) -> Iterator[Figure]:
    """Yield the figures of each operation, measured in turns on the two sides after a moment of warming up."""
    for name in (Name.LIST, Name.GET, Name.IMPERSONATE, Name.DISABLE):  # of a sign-in the bare side does the hash only
        require_same(name, served.answer(name), bare.answer(name))
    to_disable = min(options.users, PEOPLE) // (options.rounds + 1)
    for name in Name:
        tallies: dict[Side, list[Tally]] = {served: [], bare: []}
        for side in tallies if options.seconds > _WARM_UP_SECONDS else ():
            side.measure(name, _WARM_UP_SECONDS, to_disable // 2)
        for _ in range(options.rounds):
            for side, found in tallies.items():
                found.append(side.measure(name, options.seconds, to_disable))
        ours = tallies[served]
        yield Figure(
            part=PART,
            case=name.value,
            store=engine.value,
            users=options.users,
            unit="/s",
            **median_of([tally.per_second for tally in ours]),
            limit=statistics.median(tally.per_second for tally in tallies[bare]),
            beside="bare",
            at_least=WANTED_RATIO[name],
            p50_ms=statistics.median(tally.p50_ms for tally in ours),
            p99_ms=statistics.median(tally.p99_ms for tally in ours),
        )


async def measure_store(engine: Engine, directory: Path, url: str, options: Options) -> list[Figure]:
    """Fill a store, serve it both ways, and return the figures, printing each as it comes."""
    figures: list[Figure] = []
    async with AsyncExitStack() as stores:
        made = sqlite_stores(directory, options.users)
        if engine is Engine.POSTGRES:
            made = postgres_stores(directory, url, options.users)
        prepared = await stores.enter_async_context(made)
        with ExitStack() as processes:
            port = processes.enter_context(serving(prepared.settings, directory / "served.log"))
            bare_port = processes.enter_context(serving_bare(prepared.plan, directory))
            for figure in measure_all(engine, Side(port, prepared), Side(bare_port, prepared), options):
                sys.stdout.write(_line_of(figure))
                sys.stdout.flush()
                figures.append(figure)
    return figures


def _line_of(figure: Figure) -> str:
    """Return a figure as it is printed."""
    return (
        f"{figure.store:<9}{figure.case:<16}{figure.value:>8,.0f}/s   bare {figure.limit:>8,.0f}/s   "
        f"ratio {figure.ratio:.2f}   p50 {figure.p50_ms:.1f} ms, p99 {figure.p99_ms:.1f} ms\n"
    )


def main() -> int:
    """Print the machine, every figure and a verdict for each; return 1 when one is not what is wanted."""
    parser = argparse.ArgumentParser(description="The server over HTTP against the bare engine.")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long each of the rounds takes")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each operation and side, in turns")
    parser.add_argument("--users", type=int, default=20_000, help="users in the tenant")
    parser.add_argument("--directory", type=Path, default=_ROOT, help="a directory on the disk")
    parser.add_argument("--results", type=Path, help="where the figures are kept")
    parser.add_argument("--quiet-verdict", action="store_true", help="measure and print, but do not judge")
    parser.add_argument("--store", type=Engine, choices=list(Engine), action="append", help="by default both")
    given = parser.parse_args()
    options = Options(given.seconds, given.rounds, given.users)
    engines: list[Engine] = given.store or list(Engine)
    url = os.environ.get(_URL_VARIABLE, "")
    if Engine.POSTGRES in engines and not url:
        parser.error(f"PostgreSQL needs {_URL_VARIABLE}; `make bench` sets it")
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix=".bench-", dir=given.directory) as name:
        command = command_line("bench.served", sys.argv[1:])
        machine = this_machine(Path(name), command, asyncio.run(postgres_version(url)) if url else "")
        sys.stdout.write(
            f"{machine.cores} cores, Python {machine.python}, fsync of a 4 KiB append {machine.fsync_us:.0f} us;"
            f" {CLIENTS} clients, {options.users:,} users, medians of {options.rounds} x {options.seconds:g} s\n"
        )
        for engine in engines:
            directory = Path(name, engine)
            directory.mkdir()
            found = asyncio.run(measure_store(engine, directory, url, options))
            figures += found
            if given.results is not None:
                keep(given.results, machine, found)
    if given.quiet_verdict:
        return 0
    sys.stdout.write("".join(f"{verdict_of(figure)}\n" for figure in figures))
    return 0 if all(figure.passes for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
