"""How far a long command has come: a bar on a terminal, a line now and then elsewhere. Both go to standard error."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final, TypeAlias

from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from hellojohn_server.cli.console import err

_EVERY_SECONDS: Final = 15.0

Advance: TypeAlias = Callable[[int], None]
"""To be called with how many more are done."""


class _Rate(ProgressColumn):
    """How many a second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f}/s")


@contextmanager
def progress(what: str, total: int) -> Generator[Advance]:
    """Show how many of `total` are done, at what rate, and the time left, while the block runs."""
    if not err.is_terminal:
        yield _Lines(what, total).advance
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    with Progress(*columns, console=err) as bar:
        task = bar.add_task(what, total=total)
        yield lambda count: bar.advance(task, count)


class _Lines:
    """Says where it is every few seconds."""

    def __init__(self, what: str, total: int) -> None:
        self._what = what
        self._total = total
        self._done = 0
        self._begun = self._said = time.monotonic()

    def advance(self, count: int) -> None:
        """Note that `count` more are done."""
        self._done += count
        now = time.monotonic()
        if now - self._said < _EVERY_SECONDS:
            return
        self._said = now
        rate = self._done / (now - self._begun)
        left = f", {rate:,.0f}/s, {(self._total - self._done) / rate:,.0f} s left" if self._done else ""
        err.out(f"{self._what}: {self._done:,} of {self._total:,}{left}")
