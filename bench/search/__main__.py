"""Every kind of search and list through HTTP, beside the unfiltered list page of the same run.

    python -m bench.search --store sqlite --users 1000000 --data DIR    # PASS or FAIL for each question
    python -m bench.search --store sqlite --users 300 --samples 2 --scans 1 --quiet-verdict

The data is made by `hj demo load` and kept in --data, so that a second run begins at once. PostgreSQL needs
HELLOJOHN_DATABASE_URL; its data stays in a database of its own there. bench/README.md says what is compared and how.
"""

import argparse
import asyncio
import http.client
import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import msgspec

from bench.search.cases import Case, Page, cases_of
from bench.search.data import Filled, filled
from bench.search.deep import Deep
from bench.search.scans import Scans
from bench.served.processes import serving
from bench.served.programs import Engine
from hellojohn_server.config import Settings

WANTED_P50: Final = 12.0
WANTED_P99: Final = 40.0
WANTED_OVER_SCAN: Final = 20.0
_SLOW_SCAN_MS: Final = 200.0
_ROWS: Final = 20
_DEEP_PAGE: Final = 10_000
_URL_VARIABLE: Final = "HELLOJOHN_DATABASE_URL"


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a question: milliseconds, and its median and its slow end over the median of the list page."""

    store: str
    users: int
    case: str
    p50_ms: float
    p99_ms: float
    ratio: float
    p99_ratio: float
    wanted: float
    passes: bool
    statuses: dict[str, int]
    scan_ms: float | None = None


class Client:
    """One connection that asks one question after another."""

    def __init__(self, port: int, key: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def ask(self, case: Case | None, cursor: str | None = None) -> tuple[float, int, bytes]:
        """Return how many milliseconds an answer takes, its status, and itself. None: the unfiltered list page."""
        method, path, body = "GET", f"/v1/users?limit={_ROWS}", None
        if case is not None:
            asked: dict[str, Any] = {"filters": case.filters, "limit": _ROWS}
            asked["sort"] = {"field": case.field, "direction": case.direction}
            if case.query is not None:
                asked["query"] = case.query
            if cursor is not None:
                asked["cursor"] = cursor
            method, path, body = "POST", "/v1/admin/users/search", msgspec.json.encode(asked)
        started = time.perf_counter()
        self._connection.request(method, path, body, self._headers)
        answer = self._connection.getresponse()
        content = answer.read()
        return (time.perf_counter() - started) * 1000, answer.status, content


class Taken(msgspec.Struct, frozen=True):
    """How long the answers to one question took, and their statuses."""

    times: list[float]
    statuses: dict[str, int]


def measure(client: Client, cases: Sequence[tuple[Case, str | None]], samples: int) -> tuple[float, list[Taken]]:
    """Ask every question so many times, the list page in turns with each; return its median, and what each took."""
    pages: list[float] = []
    taken = [Taken([], {}) for _ in cases]
    for turn in range(samples + 1):
        for place, (case, cursor) in enumerate(cases):
            page_ms, status, content = client.ask(None)
            if status != 200:  # noqa: PLR2004 - OK
                raise RuntimeError(f"the list page was answered {status}: {content.decode()}")
            case_ms, status, content = client.ask(case, cursor)
            counted = taken[place].statuses
            counted[str(status)] = counted.get(str(status), 0) + 1
            if turn:  # the first of each warms up
                pages.append(page_ms)
                taken[place].times.append(case_ms)
    return statistics.median(pages), taken


def share(values: Sequence[float], part: float) -> float:
    """Return the value that `part` of the values do not pass."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(part * (len(ordered) - 1)))]


async def measure_store(engine: Engine, given: argparse.Namespace, url: str) -> list[Figure]:
    """Fill a store, serve it, and return the figures, printing each."""
    directory = Path(given.data) / f"{engine}-{given.users}"
    settings, store = await filled(engine, directory, url, given.users)
    cases = [case for case in cases_of(store.facts, store.one) if re.search(given.only, case.name)]
    deep = Deep(engine, settings, store.tenant_id, min(_ROWS * _DEEP_PAGE, given.users // 2))
    asked = [(case, await deep.cursor(case) if case.page is Page.DEEP else None) for case in cases]
    with ExitStack() as processes:
        port = processes.enter_context(serving(settings, directory / "served.log"))
        page_ms, taken = measure(Client(port, store.key), asked, given.samples)
    sys.stdout.write(f"{engine}, {store.users:,} users: list page p50 {page_ms:.2f} ms\n")
    scans = await _scans(engine, settings, store, cases, given.scans)
    figures = [
        _figure(store, case, found, page_ms, scans.get(case.name)) for case, found in zip(cases, taken, strict=True)
    ]
    for figure in figures:
        sys.stdout.write(_line_of(figure))
    return figures


async def _scans(
    engine: Engine, settings: Settings, store: Filled, cases: Sequence[Case], at_most: int
) -> dict[str, float]:
    """Return how many milliseconds scans take, of up to so many questions."""
    scans = Scans(engine, settings, store.tenant_id)
    scanned = [case for case in cases if case.is_scanned][:at_most]
    return {case.name: await scans.seconds(case.query or "") * 1000 for case in scanned}


def _figure(store: Filled, case: Case, found: Taken, page_ms: float, scan_ms: float | None) -> Figure:
    p50, p99 = share(found.times, 0.5), share(found.times, 0.99)
    ratio, p99_ratio = p50 / page_ms, p99 / page_ms
    passes = ratio <= WANTED_P50 and p99_ratio <= WANTED_P99 and set(found.statuses) == {"200"}
    if scan_ms is not None and scan_ms >= _SLOW_SCAN_MS:
        passes = passes and scan_ms / p50 >= WANTED_OVER_SCAN
    return Figure(
        store=store.engine,
        users=store.users,
        case=case.name,
        p50_ms=p50,
        p99_ms=p99,
        ratio=ratio,
        p99_ratio=p99_ratio,
        wanted=WANTED_P50,
        passes=passes,
        statuses=found.statuses,
        scan_ms=scan_ms,
    )


def _line_of(figure: Figure) -> str:
    line = (
        f"{figure.case:<72}p50 {figure.p50_ms:>8.2f} ms {figure.ratio:>6.1f}x   p99 {figure.p99_ms:>8.2f} ms"
        f" {figure.p99_ratio:>6.1f}x"
    )
    if set(figure.statuses) != {"200"}:
        line += f"   answered {figure.statuses}"
    if figure.scan_ms is not None:
        line += f"   scan {figure.scan_ms:.0f} ms"
    return line + "\n"


def main() -> int:
    """Print every figure, write them to a file, and judge; return 1 when one is not what is wanted."""
    parser = argparse.ArgumentParser(description="Search and lists through HTTP, beside the unfiltered list page.")
    parser.add_argument("--store", type=Engine, choices=list(Engine), action="append", help="by default both")
    parser.add_argument("--users", type=int, default=1_000_000, help="users in the tenant")
    parser.add_argument("--samples", type=int, default=31, help="how often each question is asked")
    parser.add_argument("--scans", type=int, default=1000, help="how many scans are made at most")
    parser.add_argument("--only", default="", help="only questions whose names this regular expression finds")
    parser.add_argument("--data", type=Path, help="a directory on the disk in which the data is kept")
    parser.add_argument("--results", type=Path, help="a directory for search-<store>-<users>.json")
    parser.add_argument("--quiet-verdict", action="store_true", help="measure and print, but do not judge")
    given = parser.parse_args()
    engines: list[Engine] = given.store or list(Engine)
    url = os.environ.get(_URL_VARIABLE, "")
    if Engine.POSTGRES in engines and not url:
        parser.error(f"PostgreSQL needs {_URL_VARIABLE}")
    figures: list[Figure] = []
    with ExitStack() as stack:
        if given.data is None:
            given.data = stack.enter_context(tempfile.TemporaryDirectory(prefix=".bench-"))
        for engine in engines:
            found = asyncio.run(measure_store(engine, given, url))
            figures += found
            if given.results is not None:
                given.results.mkdir(parents=True, exist_ok=True)
                (given.results / f"search-{engine}-{given.users}.json").write_bytes(msgspec.json.encode(found))
    if given.quiet_verdict:
        return 0
    failed = [figure for figure in figures if not figure.passes]
    for figure in failed:
        sys.stdout.write(f"{figure.store} {figure.case}: {figure.ratio:.1f}x, {figure.p99_ratio:.1f}x: FAIL\n")
    verdict = "FAIL" if failed else "PASS"
    sys.stdout.write(f"{len(figures) - len(failed)} of {len(figures)} questions as wanted: {verdict}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
