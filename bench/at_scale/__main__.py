"""One store at a time, filled with invented users: the parts that depend on how many there are.

    python -m bench.at_scale --store sqlite --users 1000000 --results .bench/results
    python -m bench.at_scale --store sqlite --users 300 --tenants 4 --rounds 1 --seconds 0.1 --quiet-verdict

HELLOJOHN_DATABASE_URL names the PostgreSQL server: databases are made there and dropped again. A part that has a file
of results already is left out, and a store that no part needs is not made. bench/README.md says what is compared.
"""

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from bench import results
from bench.at_scale import export, imports, jobs, memory, start, tenants
from bench.at_scale.store import NotEnoughRoom, Store, execute, fill, keep
from bench.results import Figure
from bench.served.programs import Engine

URL_VARIABLE: Final = "HELLOJOHN_DATABASE_URL"
FILL: Final = "fill"
PARTS: Final = (FILL, export.PART, start.PART, imports.PART, memory.PART, jobs.PART, tenants.PART)
_IMPORTS: Final = 2
"""Rounds of the import at most: each makes two stores more, which stay until the end."""

_ROOT: Final = Path(__file__).parents[2]


class Options(msgspec.Struct, frozen=True):
    """How much is measured, and where everything is put."""

    engine: Engine
    url: str
    users: int
    tenants: int
    rounds: int
    seconds: float
    directory: Path
    data: Path | None


class Place:
    """Makes stores under a directory, on the disk or as databases, and does away with them at the end."""

    def __init__(self, options: Options, directory: Path, stack: ExitStack) -> None:
        self._options = options
        self._directory = directory
        self._stack = stack
        self._full: Store | None = None

    @property
    def full(self) -> Store:
        """The store with all users, made when it is first asked for."""
        options = self._options
        if self._full is None and options.data is not None:
            directory = options.data / f"{options.engine}-{options.users}"
            self._full = keep(directory, options.engine, options.url, options.users)
        if self._full is None:
            self._full = self.make("full", options.users)
        return self._full

    def make(self, name: str, users: int) -> Store:
        """Make a store with so many users in a tenant."""
        directory = self._directory / name
        directory.mkdir()
        url = None
        if self._options.engine is Engine.POSTGRES:
            url = self._stack.enter_context(_database(self._options.url, name))
        store = fill(directory, self._options.engine, url, users)
        if url is not None:
            asyncio.run(execute(url, "VACUUM ANALYZE"))
        return store


def measure(part: str, place: Place, options: Options, directory: Path) -> Iterator[Figure]:
    """Yield the figures of a part."""
    rounds, seconds = options.rounds, options.seconds
    match part:
        case export.PART:
            yield from export.measure(place.full, directory, rounds, seconds)
        case start.PART:
            yield from start.measure(place.full, place.make("empty", 0), directory, rounds)
        case imports.PART:
            yield from imports.measure(place.full, lambda name: place.make(name, 0), directory, min(rounds, _IMPORTS))
        case jobs.PART:
            yield from jobs.measure(place.full, directory, rounds, seconds)
        case memory.PART:
            yield from memory.measure(place.full, directory, rounds)
        case tenants.PART:
            many, alone = place.make("many", 0), place.make("alone", 0)
            yield from tenants.measure(many, alone, options.tenants, directory, rounds, seconds)
        case _:
            store = place.full
            rate = store.users / store.fill_seconds
            common: dict[str, Any] = {"part": FILL, "store": store.engine.value, "users": store.users}
            yield Figure(**common, case="hj demo load", unit="users/s", **results.median_of([rate]))


def run(parts: list[str], options: Options, kept_in: Path | None, command: str) -> list[Figure]:
    """Measure parts on one store, printing and keeping what comes; return everything that was measured now."""
    found: list[Figure] = []
    with ExitStack() as stack:
        name = stack.enter_context(tempfile.TemporaryDirectory(prefix=".bench-", dir=options.directory))
        place = Place(options, Path(name), stack)
        version = asyncio.run(results.postgres_version(options.url)) if options.url else ""
        for part in parts:
            users = options.tenants if part == tenants.PART else options.users
            if kept_in is not None and results.file_of(kept_in, part, options.engine.value, users).exists():
                continue
            machine = results.this_machine(options.directory, command, version)
            figures: list[Figure] = []
            for figure in measure(part, place, options, Path(name)):
                sys.stdout.write(results.line_of(figure) + "\n")
                sys.stdout.flush()
                figures.append(figure)
            if kept_in is not None:
                results.keep(kept_in, machine, figures)
            found += figures
    return found


@contextmanager
def _database(url: str, name: str) -> Generator[str]:
    """Make a database beside the one that `url` names, and drop it at the end."""
    server, _, beside = url.rpartition("/")
    database = f"{beside}_{name}_{os.getpid()}"
    asyncio.run(execute(url, f'CREATE DATABASE "{database}" TEMPLATE template0'))
    try:
        yield f"{server}/{database}"
    finally:
        asyncio.run(execute(url, f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)'))


def main() -> int:
    """Print every figure and a verdict for each that has one; return 1 when one is not what is wanted."""
    parser = argparse.ArgumentParser(description="What depends on how many users or tenants there are.")
    parser.add_argument("--store", type=Engine, choices=list(Engine), required=True)
    parser.add_argument("--part", choices=PARTS, action="append", help="by default all")
    parser.add_argument("--users", type=int, default=1_000_000, help="users in the tenant")
    parser.add_argument("--tenants", type=int, default=10_000, help="tenants of the part about tenants")
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each of the rounds takes")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each side, in turns")
    parser.add_argument("--directory", type=Path, default=_ROOT, help="a directory on the disk")
    parser.add_argument("--data", type=Path, help="a directory in which the full store is kept, as by bench.search")
    parser.add_argument("--results", type=Path, help="where the figures are kept, and looked for")
    parser.add_argument("--quiet-verdict", action="store_true", help="measure and print, but do not judge")
    given = parser.parse_args()
    url = os.environ.get(URL_VARIABLE, "") if given.store is Engine.POSTGRES else ""
    if given.store is Engine.POSTGRES and not url:
        parser.error(f"PostgreSQL needs {URL_VARIABLE}; `make bench` sets it")
    options = Options(
        given.store, url, given.users, given.tenants, given.rounds, given.seconds, given.directory, given.data
    )
    command = results.command_line("bench.at_scale", sys.argv[1:])
    try:
        figures = run(given.part or list(PARTS), options, given.results, command)
    except NotEnoughRoom as refusal:
        parser.error(str(refusal))
    return 0 if given.quiet_verdict else _judge(figures)


def _judge(figures: list[Figure]) -> int:
    sys.stdout.write("".join(f"{verdict}\n" for figure in figures if (verdict := results.verdict_of(figure))))
    return 1 if any(figure.passes is False for figure in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
