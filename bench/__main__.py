"""Everything that is measured, one store after the other, into docs/benchmarks.md.

    make bench         # 20,000 and a million users
    make bench-full    # ten thousand, a hundred thousand, a million and ten million users
    python -m bench --size 20000 --store sqlite --docs /tmp

A part whose results are there already, by the same code, is not measured again: after an interruption the same
command goes on. What fails is said at the end, and the rest is measured all the same. HELLOJOHN_DATABASE_URL names the
PostgreSQL server.
"""

import argparse
import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec

from bench import results
from bench.at_scale.__main__ import FILL, PARTS, URL_VARIABLE
from bench.at_scale.imports import PART as IMPORT
from bench.at_scale.jobs import PART as JOBS
from bench.at_scale.store import NotEnoughRoom, execute, require_room
from bench.at_scale.tenants import PART as TENANTS
from bench.report import SEARCH, write
from bench.served.programs import Engine

_ROOT: Final = Path(__file__).parents[1]
_KEPT: Final = _ROOT / ".bench"
_SMALL: Final = 20_000
_MILLION: Final = 1_000_000
_TENANTS: Final = 10_000
_FEW_TENANTS: Final = 4
_SERVED: Final = frozenset({_SMALL, _MILLION, 10 * _MILLION})
_SEARCHED: Final = frozenset({10_000, 100_000, _MILLION, 10 * _MILLION})
_AT_SCALE: Final = frozenset({_MILLION, 10 * _MILLION})
_AT_A_MILLION: Final = frozenset({IMPORT, JOBS})
"""Parts that are not measured at more users: what is wanted of them is wanted of a million."""

_COPIES: Final = {True: 5, False: 2}
"""Of how many stores there is room needed at once: the sides of `served`; up to a million users, what imports make."""

DATA: Final = "data"
_SHORT: Final[Mapping[str, tuple[str, ...]]] = {
    "served": ("--seconds", "0.1", "--rounds", "1", "--quiet-verdict"),
    "search": ("--samples", "2", "--scans", "1", "--quiet-verdict"),
    "at_scale": ("--seconds", "0.1", "--rounds", "1", "--tenants", "4", "--quiet-verdict"),
}


class Stage(msgspec.Struct, frozen=True):
    """A measurement: its module, what it is given, and the files that it leaves."""

    module: str
    store: Engine
    users: int
    arguments: tuple[str, ...]
    files: tuple[Path, ...]

    @property
    def command(self) -> list[str]:
        """How it is run."""
        return [sys.executable, "-m", f"bench.{self.module}", "--store", self.store.value, *self.arguments]

    @property
    def uses_data(self) -> bool:
        """Whether it works on the full store that is kept from stage to stage."""
        return "--data" in self.arguments

    @property
    def command_line(self) -> str:
        """What is said of it."""
        return results.command_line(f"bench.{self.module}", self.command[3:])


def stages_of(store: Engine, users: int, kept: Path, *, is_short: bool) -> Iterator[Stage]:
    """Yield what is measured at a number of users on a store, in the order in which it is."""
    found = kept / "results"

    def stage(module: str, files: tuple[Path, ...], *arguments: str) -> Stage:
        short = _SHORT[module] if is_short else ()
        given = ("--users", str(users), "--results", str(found), *arguments, *short)
        return Stage(module, store, users, given, files)

    data = ("--data", str(kept / DATA))
    searches = (found / f"{SEARCH}-{store.value}-{users}.json",)
    if users in _AT_SCALE or is_short:
        tenants = _FEW_TENANTS if is_short else _TENANTS
        few = ("--rounds", "3") if users > _MILLION else ()
        rest = [part for part in PARTS if part != FILL and (users <= _MILLION or part not in _AT_A_MILLION)]
        chosen = [word for part in rest for word in ("--part", part)]
        sizes = [tenants if part == TENANTS else users for part in rest]
        files = (results.file_of(found, part, store.value, size) for part, size in zip(rest, sizes, strict=True))
        yield stage("at_scale", (results.file_of(found, FILL, store.value, users),), *data, "--part", FILL)
        yield stage(SEARCH, searches, *data)
        yield stage("at_scale", tuple(files), *data, *chosen, *few)
    elif users in _SEARCHED:
        yield stage(SEARCH, searches, *data)
    if users in _SERVED or is_short:
        yield stage("served", (results.file_of(found, "served", store.value, users),))


def run(stages: list[Stage], kept: Path) -> list[str]:
    """Run each stage whose files are not all there, and return the commands of those that failed."""
    failed: list[str] = []
    for stage, following in zip(stages, [*stages[1:], None], strict=True):
        if all(path.exists() for path in stage.files):
            continue
        sys.stdout.write(f"\n{stage.command_line}\n")
        sys.stdout.flush()
        if subprocess.run(stage.command, cwd=_ROOT, check=False).returncode:  # noqa: S603 - our own measurements
            failed.append(stage.command_line)
        if stage.uses_data and not (following is not None and following.uses_data and following.users == stage.users):
            _forget_data(kept, stage)
    return failed


def _forget_data(kept: Path, stage: Stage) -> None:
    """Do away with what was filled for stages that are over: the next needs the room."""
    shutil.rmtree(kept / DATA, ignore_errors=True)
    url = os.environ.get(URL_VARIABLE)
    if stage.store is Engine.POSTGRES and url:
        asyncio.run(execute(url, f'DROP DATABASE IF EXISTS "hellojohn_search_{stage.users}" WITH (FORCE)'))


def begin(kept: Path) -> None:
    """Throw away results of other code: figures of one page are of one program."""
    stamp = kept / "code"
    code = results.code()
    kept.mkdir(parents=True, exist_ok=True)
    if stamp.exists() and stamp.read_text(encoding="utf-8") != code:
        for path in (kept / "results").glob("*.json*"):
            path.unlink()
    stamp.write_text(code, encoding="utf-8")


def main() -> int:
    """Measure, write the page, and return 1 when something failed or is not what is wanted."""
    parser = argparse.ArgumentParser(description="Everything that is measured, into docs/benchmarks.md.")
    parser.add_argument("--size", type=int, action="append", help="numbers of users; by default 20,000 and a million")
    parser.add_argument("--store", type=Engine, choices=list(Engine), action="append", help="by default both")
    parser.add_argument("--kept", type=Path, default=_KEPT, help="where results and data are kept")
    parser.add_argument("--docs", type=Path, default=_ROOT / "docs", help="where the page is written")
    parser.add_argument("--short", action="store_true", help="as little of each as shows that it works, unjudged")
    given = parser.parse_args()
    engines: list[Engine] = given.store or list(Engine)
    sizes: list[int] = given.size or [_SMALL, _MILLION]
    if Engine.POSTGRES in engines and not os.environ.get(URL_VARIABLE):
        parser.error(f"PostgreSQL needs {URL_VARIABLE}; `make bench` sets it")
    begin(given.kept)
    try:
        for engine in engines:
            require_room(given.kept, engine, _COPIES[max(sizes) <= _MILLION] * max(sizes))
    except NotEnoughRoom as refusal:
        parser.error(str(refusal))
    kept = given.kept.absolute()
    stages = [
        stage for engine in engines for size in sizes for stage in stages_of(engine, size, kept, is_short=given.short)
    ]
    failed = run(stages, kept)
    write(kept / "results", given.docs)
    for command in failed:
        sys.stdout.write(f"not as wanted, or failed: {command}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
