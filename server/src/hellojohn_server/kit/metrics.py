"""What the process counts and measures of itself, in one registry that /metrics shows in Prometheus' text format.

No tenant, user, key or address is ever a label, and every label has few values: templates of paths, known methods,
statuses, names of chores. So the number of series is bounded, whatever is sent.
"""

from bisect import bisect_left
from collections.abc import Iterator
from enum import StrEnum
from itertools import accumulate
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    Metric,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily

from hellojohn_server import __version__
from hellojohn_server.kit.passwords import PasswordHasher

_METHODS: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
_OTHER_METHOD: Final = "other"
_NO_ROUTE: Final = "none"
_BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_LIMITS: Final = (*map(str, _BOUNDS), "+Inf")


class Outcome(StrEnum):
    """How one run of a chore ended."""

    FAILED = "failed"
    OK = "ok"
    TENANT_GONE = "tenant_gone"


class MailOutcome(StrEnum):
    """What became of a mail, or of one try to send it. `failed` will be tried again; `dead` will not."""

    DEAD = "dead"
    FAILED = "failed"
    QUEUED = "queued"
    SENT = "sent"


class _Durations:
    """How many requests took up to each of _BOUNDS seconds and no less, or longer; and how long all took."""

    __slots__ = ("buckets", "seconds")

    def __init__(self) -> None:
        self.buckets = [0] * len(_LIMITS)
        self.seconds = 0.0


class Metrics:
    """The figures of one process. `passwords` is the hasher whose queue is shown.

    They are noted on the event loop, as plain numbers: a request pays for no lock and no look-up of labels. Rendering
    may run in a thread beside it.
    """

    def __init__(self, passwords: PasswordHasher | None = None) -> None:
        self._passwords = passwords
        self._requests: dict[tuple[str, str | None, int], _Durations] = {}
        self._requests_in_progress = 0
        self._streams = 0
        self._runs: dict[tuple[str, Outcome], int] = {}
        self._mails = dict.fromkeys(MailOutcome, 0)
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    def begin_request(self) -> None:
        """Note that a request came. Each is ended once, by `end_request`."""
        self._requests_in_progress += 1

    def end_request(self, method: str, route: str | None, status: int, seconds: float) -> None:
        """Note how a request ended. `route` is the template of its path, None when no path matched."""
        self._requests_in_progress -= 1
        kind = (method if method in _METHODS else _OTHER_METHOD, route, status)
        durations = self._requests.get(kind)
        if durations is None:
            durations = self._requests[kind] = _Durations()
        durations.buckets[bisect_left(_BOUNDS, seconds)] += 1
        durations.seconds += seconds

    def count_run(self, chore: str, outcome: Outcome) -> None:
        """Count one run of a chore. From its first on, the outcomes that it did not have yet are shown as 0."""
        for known in Outcome:
            self._runs.setdefault((chore, known), 0)
        self._runs[chore, outcome] += 1

    def count_mail(self, outcome: MailOutcome) -> None:
        """Count a mail that was queued, or what came of a try to send one."""
        self._mails[outcome] += 1

    def begin_stream(self) -> None:
        """Note that a stream of revocations was opened. Each is ended once, by `end_stream`."""
        self._streams += 1

    def end_stream(self) -> None:
        """Note that a stream ended."""
        self._streams -= 1

    def render(self) -> bytes:
        """Return every figure in version 0.0.4 of the text format."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """Yield the figures that are ours; the registry asks for them."""
        yield from self._collect_requests()
        runs = CounterMetricFamily(
            "hellojohn_housekeeping_runs_total", "Runs of housekeeping.", labels=("chore", "result")
        )
        for (chore, outcome), count in list(self._runs.items()):
            runs.add_metric((chore, outcome.value), count)
        yield runs
        mails = CounterMetricFamily(
            "hellojohn_emails_total", "Mails that were queued, sent or given up, and tries in vain.", labels=("result",)
        )
        for result, count in self._mails.items():
            mails.add_metric((result.value,), count)
        yield mails
        yield GaugeMetricFamily("hellojohn_revocation_streams", "Streams of revocations that are open.", self._streams)
        if self._passwords is not None:
            yield GaugeMetricFamily(
                "hellojohn_password_hashing_jobs",
                "Passwords that are being hashed or verified, or wait for it.",
                self._passwords.running_or_waiting,
            )
            yield GaugeMetricFamily(
                "hellojohn_password_hashing_capacity",
                "Jobs at which further ones are refused.",
                self._passwords.capacity,
            )
        yield InfoMetricFamily("hellojohn_build", "What is running.", {"version": __version__})

    def _collect_requests(self) -> Iterator[Metric]:
        requests = CounterMetricFamily(
            "hellojohn_http_requests_total", "Requests that ended.", labels=("method", "route", "status")
        )
        durations = HistogramMetricFamily(
            "hellojohn_http_request_duration_seconds",
            "Time from the head of a request to the end of its answer.",
            labels=("method", "route"),
        )
        merged: dict[tuple[str, str], _Durations] = {}
        for (method, route, status), noted in list(self._requests.items()):
            labels = (method, route or _NO_ROUTE)
            requests.add_metric((*labels, str(status)), sum(noted.buckets))
            of_route = merged.setdefault(labels, _Durations())
            of_route.buckets = [one + other for one, other in zip(of_route.buckets, noted.buckets, strict=True)]
            of_route.seconds += noted.seconds
        for labels, of_route in merged.items():
            up_to = zip(_LIMITS, accumulate(of_route.buckets), strict=True)
            durations.add_metric(labels, list(up_to), of_route.seconds)
        yield requests
        yield durations
        yield GaugeMetricFamily(
            "hellojohn_http_requests_in_progress",
            "Requests that are being served, this one included.",
            self._requests_in_progress,
        )
