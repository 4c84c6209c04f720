"""docs/benchmarks.md and its drawing, from the results that measurements left: nothing is in them but what is there.

python -m bench.report .bench/results docs
"""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import msgspec

from bench import results
from bench.plot import Line, draw
from bench.results import Figure, Machine

PAGE: Final = "benchmarks.md"
DRAWING: Final = "benchmarks.svg"
SEARCH: Final = "search"
STORES: Final = ("sqlite", "postgres")
_MILLION: Final = 1_000_000
EXPECTED: Final[Mapping[str, tuple[int, ...]]] = {
    "served": (20_000, _MILLION, 10 * _MILLION),
    SEARCH: (10_000, 100_000, _MILLION, 10 * _MILLION),
    "fill": (_MILLION, 10 * _MILLION),
    "export": (_MILLION, 10 * _MILLION),
    "start": (_MILLION, 10 * _MILLION),
    "memory": (_MILLION, 10 * _MILLION),
    "import": (_MILLION,),
    "jobs": (_MILLION,),
    "tenants": (10_000,),
}
"""Each part and the numbers of users (of tenants, where it is about them) that it is meant to be measured at."""

GROWTH_AT_MOST: Final = 1.5
"""How much longer what `served` measures may take at ten million users than at one."""

_DRAWN: Final = (
    "list, page 1",
    "list by created_at desc, page deep",
    "rare term",
    "common term",
    "two letters, frequent",
    "two letters, rare",
    "e-mail prefix",
    "middling domain",
    "common domain",
    "no match, letters never together",
    "no match, frequent trigrams",
)
_INTRODUCTION: Final = (
    "This page is written by `python -m bench.report`, from what the measurements left; "
    "[bench/README.md](../bench/README.md) says what each compares. A figure is the median of its rounds, with the "
    "least and the most of them beside it. What it is held against was measured in the same run, in turns."
)
_OVER_SCAN: Final = 20.0
_WHOLE: Final = 100
_SLOW_SCAN_MS: Final = 200.0


class SearchFigure(msgspec.Struct, frozen=True):
    """What bench.search leaves of a question: milliseconds, and how many times the list page that is."""

    store: str
    users: int
    case: str
    p50_ms: float
    p99_ms: float
    ratio: float
    p99_ratio: float
    wanted: float
    passes: bool
    statuses: dict[str, int] = {}
    scan_ms: float | None = None


class Found(msgspec.Struct, frozen=True):
    """Everything that was measured: on which machines, and what."""

    machines: list[Machine]
    figures: list[Figure]
    search: list[SearchFigure]

    @property
    def measured(self) -> set[tuple[str, str, int]]:
        """Part, store and number of users of everything that there is."""
        return {(one.part, one.store, one.users) for one in self.figures} | {
            (SEARCH, one.store, one.users) for one in self.search
        }


def read(directory: Path) -> Found:
    """Return what is in a directory of results."""
    files = list(results.kept(directory))
    search = [
        figure
        for path in sorted(directory.glob(f"{SEARCH}-*.json"))
        for figure in msgspec.json.decode(path.read_bytes(), type=list[SearchFigure])
    ]
    return Found([machine for machine, _ in files], [figure for _, figures in files for figure in figures], search)


def page_of(found: Found) -> str:
    """Return the page."""
    parts = [
        "# Benchmarks",
        _INTRODUCTION,
        *_machines(found.machines),
        *_missing(found),
        *_verdicts(found),
        *_growth(found),
        *_all(found),
        *_search(found),
    ]
    return "\n\n".join(parts) + "\n"


def drawing_of(found: Found) -> str:
    """Return the drawing: a panel for each store."""
    return draw({store: _lines(found, store) for store in STORES})


def write(directory: Path, docs: Path) -> None:
    """Write the page and its drawing."""
    found = read(directory)
    (docs / PAGE).write_text(page_of(found), encoding="utf-8")
    (docs / DRAWING).write_text(drawing_of(found), encoding="utf-8")


def _machines(machines: Sequence[Machine]) -> Iterator[str]:
    yield "## Where"
    if not machines:
        yield "Nothing was measured."
        return
    rows: list[tuple[str, ...]] = []
    for one in sorted(machines, key=lambda machine: machine.measured_at):
        where = f"{one.cores} cores, {one.processor}, {one.memory_gib} GiB, {one.system}"
        versions = f"Python {one.python}, SQLite {one.sqlite}" + (
            f", PostgreSQL {one.postgres}" if one.postgres else ""
        )
        state = f"{one.fsync_us:.0f} us", f"{one.load}"
        rows.append((one.measured_at, where, versions, *state, f"`{one.commit}`", f"`{one.command}`"))
    yield _table(("When", "Machine", "Versions", "fsync of 4 KiB", "Load before", "Commit", "Command"), rows)


def _missing(found: Found) -> Iterator[str]:
    rows: list[tuple[str, ...]] = []
    for part, sizes in EXPECTED.items():
        for store in STORES:
            lacking = [f"{size:,}" for size in sizes if (part, store, size) not in found.measured]
            if lacking:
                rows.append((part, store, ", ".join(lacking)))
    if rows:
        yield "## Not measured"
        yield _table(("Part", "Store", "Users"), rows)


def _verdicts(found: Found) -> Iterator[str]:
    yield "## What is wanted, and what came of it"
    rows = [
        (*_key(one), _beside(one), _short(one.judged), _wanted(one), _said(passes=one.passes))
        for one in found.figures
        if one.passes is not None
    ]
    for (store, users), group in groupby(found.search, key=lambda one: (one.store, one.users)):
        listed = list(group)
        good = sum(one.passes for one in listed)
        worst = max(listed, key=lambda one: one.ratio / one.wanted)
        case = f"{good} of {len(listed)} questions as wanted; the farthest: {worst.case}"
        of_worst = (f"{worst.p50_ms:.2f} ms", "list page", f"{worst.ratio:.3g}", f"at most {worst.wanted:g}")
        rows.append((SEARCH, case, store, f"{users:,}", *of_worst, _said(passes=good == len(listed))))
    header = ("Part", "Case", "Store", "Users", "Figure", "Beside", "Ratio or figure", "Wanted", "")
    yield _table(header, rows) if rows else "Nothing was measured of which something is wanted."


def _growth(found: Found) -> Iterator[str]:
    """Yield how what is asked one by one grows from a million users to ten."""
    rows: list[tuple[str, ...]] = []
    at: dict[tuple[str, str, str], dict[int, float]] = {}
    for one in found.figures:
        if one.part == "served":
            at.setdefault((one.part, one.case, one.store), {})[one.users] = 1 / one.value
    for each in found.search:
        at.setdefault((SEARCH, each.case, each.store), {})[each.users] = each.p50_ms
    for (part, case, store), by_size in sorted(at.items()):
        if {_MILLION, 10 * _MILLION} <= by_size.keys():
            grown = by_size[10 * _MILLION] / by_size[_MILLION]
            said = _said(passes=grown <= GROWTH_AT_MOST) if part == "served" else ""
            rows.append((part, case, store, f"{grown:.2f}", said))
    if rows:
        yield "## From one million users to ten"
        yield f"How many times as long it takes. Of what `served` measures {GROWTH_AT_MOST} at most is wanted."
        yield _table(("Part", "Case", "Store", "Times as long", ""), rows)


def _all(found: Found) -> Iterator[str]:
    for part, group in groupby(sorted(found.figures, key=lambda one: (one.part, one.case)), key=lambda one: one.part):
        yield f"## {part.capitalize()}"
        rows = [
            (
                *_key(one)[1:],
                f"({_short(one.low)} to {_short(one.high)})",
                _beside(one),
                _number(one.ratio),
                *_slow(one),
            )
            for one in sorted(group, key=lambda one: (one.case, one.store, one.users))
        ]
        yield _table(("Case", "Store", "Users", "Figure", "Rounds", "Beside", "Ratio", "p50", "p99"), rows)


def _search(found: Found) -> Iterator[str]:
    if not found.search:
        return
    yield "## Search"
    yield (
        f"![Milliseconds against the number of users]({DRAWING})\n\n"
        "Milliseconds through HTTP, and how many times the unfiltered list page of the same run that is. Where a scan "
        f"of all users was made and takes {_SLOW_SCAN_MS:.0f} ms or more, {_OVER_SCAN:.0f} times faster is wanted."
    )
    for (store, users), group in groupby(found.search, key=lambda one: (one.store, one.users)):
        yield f"### {store}, {users:,} users"
        rows = [
            (
                one.case,
                f"{one.p50_ms:.2f} ms",
                f"{one.ratio:.1f}",
                f"{one.p99_ms:.2f} ms",
                f"{one.p99_ratio:.1f}",
                "" if one.scan_ms is None else f"{one.scan_ms:.0f} ms",
                _said(passes=one.passes),
            )
            for one in group
        ]
        yield _table(("Question", "p50", "pages", "p99", "pages", "Scan", ""), rows)


def _lines(found: Found, store: str) -> list[Line]:
    points: dict[str, dict[int, float]] = {name: {} for name in _DRAWN}
    for one in found.search:
        if one.store == store:
            points[_DRAWN[0]][one.users] = one.p50_ms / one.ratio
            if one.case in points:
                points[one.case][one.users] = one.p50_ms
    return [Line(name, by_size) for name, by_size in points.items()]


def _key(one: Figure) -> tuple[str, ...]:
    return one.part, one.case, one.store, f"{one.users:,}", f"{_short(one.value)} {one.unit}"


def _short(value: float) -> str:
    """Return a number with three digits that mean something, and never by powers of ten."""
    return f"{value:,.0f}" if abs(value) >= _WHOLE else f"{value:.3g}"


def _beside(one: Figure) -> str:
    return "" if one.limit is None else f"{one.beside}: {_short(one.limit)} {one.unit}"


def _wanted(one: Figure) -> str:
    bounds = [("at least", one.at_least), ("at most", one.at_most)]
    return ", ".join(f"{name} {bound:g}" for name, bound in bounds if bound is not None)


def _slow(one: Figure) -> list[str]:
    return ["" if value is None else f"{value:.2f} ms" for value in (one.p50_ms, one.p99_ms)]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _said(*, passes: bool | None) -> str:
    return "**FAIL**" if passes is False else "pass"


def _table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


def main() -> int:
    """Write the page and its drawing from a directory of results."""
    directory, docs = (Path(argument) for argument in sys.argv[1:3])
    write(directory, docs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
