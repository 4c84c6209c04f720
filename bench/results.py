"""What a measurement leaves behind: one file of JSON lines for each part, store and number of users.

The first line of a file says on which machine and by which command, each further one is a Figure. A file is there when
all of it is: whoever goes on after an interruption measures what has no file.
"""

import os
import platform
import shlex
import statistics
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import apsw
import asyncpg
import msgspec

_ROOT: Final = Path(__file__).parents[1]
_MEASURED: Final = ("server/src", "bench")
_FSYNCS: Final = 100
_PAGE_BYTES: Final = 4096
_PLACES: Final = frozenset({"--data", "--directory", "--results"})
_encode: Final = msgspec.json.Encoder().encode


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """Where and when it was measured. `load` is how many processes wanted a core in the minute before."""

    cores: int
    processor: str
    memory_gib: float
    system: str
    python: str
    sqlite: str
    postgres: str
    fsync_us: float
    load: float
    commit: str
    measured_at: str
    command: str


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One figure: the median of the rounds, the least and the most of them, and what it is held against.

    `limit` is the median of what was measured beside it, in turns, in the same unit; `beside` says what that was.
    `at_least` and `at_most` bound `value / limit` where there is a limit, else the value itself. Without either it is
    only shown. `users` is how many the tenant had.
    """

    part: str
    case: str
    store: str
    users: int
    unit: str
    value: float
    low: float
    high: float
    limit: float | None = None
    beside: str = ""
    at_least: float | None = None
    at_most: float | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None

    @property
    def ratio(self) -> float | None:
        """The figure in relation to what was measured beside it."""
        return None if self.limit is None else self.value / self.limit if self.limit else float("inf")

    @property
    def judged(self) -> float:
        """What the bounds are about."""
        ratio = self.ratio
        return self.value if ratio is None else ratio

    @property
    def passes(self) -> bool | None:
        """Whether it is within its bounds; None when it has none."""
        if self.at_least is None and self.at_most is None:
            return None
        above = self.at_least is None or self.judged >= self.at_least
        return above and (self.at_most is None or self.judged <= self.at_most)


def median_of(rounds: Sequence[float]) -> dict[str, Any]:
    """Return the fields of a Figure that come from its rounds."""
    return {"value": statistics.median(rounds), "low": min(rounds), "high": max(rounds)}


def file_of(directory: Path, part: str, store: str, users: int) -> Path:
    """Return where the figures of a part are kept."""
    return directory / f"{part.replace(' ', '-')}.{store}.{users}.jsonl"


def keep(directory: Path, machine: Machine, figures: Iterable[Figure]) -> None:
    """Write figures, which are of one part, store and number of users; the file is replaced whole."""
    listed = list(figures)
    first = listed[0]
    directory.mkdir(parents=True, exist_ok=True)
    target = file_of(directory, first.part, first.store, first.users)
    partial = target.with_suffix(".partial")
    partial.write_bytes(b"".join(_encode(line) + b"\n" for line in (machine, *listed)))
    partial.replace(target)


def kept(directory: Path) -> Iterator[tuple[Machine, list[Figure]]]:
    """Yield what every file holds, in the order of their names."""
    for path in sorted(directory.glob("*.jsonl")):
        machine, *figures = path.read_bytes().splitlines()
        yield (
            msgspec.json.decode(machine, type=Machine),
            [msgspec.json.decode(figure, type=Figure) for figure in figures],
        )


def line_of(figure: Figure) -> str:
    """Return a figure as it is printed while it is measured."""
    beside = ""
    if figure.limit is not None:
        beside = f"   {figure.beside} {figure.limit:,.6g} {figure.unit}   ratio {figure.ratio:.2f}"
    spread = f" ({figure.low:,.6g} to {figure.high:,.6g})"
    return f"{figure.store:<9}{figure.case:<34}{figure.value:>10,.6g} {figure.unit}{spread}{beside}"


def verdict_of(figure: Figure) -> str:
    """Return whether a figure is what is wanted, as a line; empty when nothing is wanted of it."""
    if figure.passes is None:
        return ""
    name = "ratio" if figure.limit is not None else figure.unit
    wanted = "at least" if figure.at_least is not None else "at most"
    bound = figure.at_least if figure.at_least is not None else figure.at_most
    said = "PASS" if figure.passes else "FAIL"
    return f"{figure.store} {figure.case}: {name} {figure.judged:.3g}, wanted {wanted} {bound:g}: {said}"


def command_line(module: str, arguments: Sequence[str]) -> str:
    """Return a command as the results name it: without where it puts things, which is nobody else's business."""
    kept_arguments: list[str] = []
    for name, before in zip(arguments, ("", *arguments), strict=False):
        if name not in _PLACES and before not in _PLACES:
            kept_arguments.append(name)
    return shlex.join(["python", "-m", module, *kept_arguments])


def this_machine(directory: Path, command: str, postgres: str = "") -> Machine:
    """Return what there is to know of this machine; a few pages are synced to the disk of `directory`."""
    return Machine(
        cores=os.cpu_count() or 0,
        processor=_processor(),
        memory_gib=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        system=f"{platform.system()} {platform.release().split('-')[0]}",
        python=platform.python_version(),
        sqlite=apsw.sqlite_lib_version(),
        postgres=postgres,
        fsync_us=round(_fsync_seconds(directory) * 1e6),
        load=round(os.getloadavg()[0], 1),
        commit=commit(),
        measured_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        command=command,
    )


async def postgres_version(url: str) -> str:
    """Return the version of the PostgreSQL server at `url`, and how much memory its pages have."""
    connection: asyncpg.Connection = await asyncpg.connect(url)
    try:
        version = str(await connection.fetchval("SHOW server_version")).split()[0]
        return f"{version} with shared_buffers of {await connection.fetchval('SHOW shared_buffers')}"
    finally:
        await connection.close()


def commit() -> str:
    """Return which commit is checked out, with a + when what is measured differs from it; nothing without git."""
    return _git("describe", "--always") + ("+" if _git("status", "--porcelain", "--", *_MEASURED) else "")


def code() -> str:
    """Return what is the same as long as what is measured and how it is measured is: other files may change."""
    committed = [_git("rev-parse", f"HEAD:{path}") for path in _MEASURED]
    return "\n".join([*committed, _git("diff", "HEAD", "--", *_MEASURED)])


def _git(*arguments: str) -> str:
    command = ("git", *arguments)
    try:
        done = subprocess.run(  # noqa: S603 - about our own repository
            command, cwd=_ROOT, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return ""
    return done.stdout.strip()


def _processor() -> str:
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text(encoding="utf-8").splitlines() if facts.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _fsync_seconds(directory: Path) -> float:
    """Return how long it takes this disk to append a page to a file and make it durable, by the median."""
    page = os.urandom(_PAGE_BYTES)
    path = directory / "fsync"
    taken: list[float] = []
    with path.open("wb", buffering=0) as file:
        for _ in range(_FSYNCS):
            started = time.perf_counter()
            file.write(page)
            os.fsync(file.fileno())
            taken.append(time.perf_counter() - started)
    path.unlink()
    return statistics.median(taken)
