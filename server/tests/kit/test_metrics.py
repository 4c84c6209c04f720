"""What the process counts of itself, and what it looks like to Prometheus."""

import asyncio

import pytest
from prometheus_client.parser import text_string_to_metric_families

from hellojohn_server import __version__
from hellojohn_server.kit.metrics import Metrics, Outcome
from hellojohn_server.kit.passwords import PasswordHasher

DURATION = "hellojohn_http_request_duration_seconds"


def samples_of(metrics: Metrics) -> dict[tuple[str, ...], float]:
    """Return what the text says: (name, value of each label in their order by name) -> value."""
    return {
        (sample.name, *(sample.labels[label] for label in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(metrics.render().decode())
        for sample in family.samples
    }


def answer(metrics: Metrics, method: str, route: str | None, status: int, seconds: float = 0.003) -> None:
    metrics.begin_request()
    metrics.end_request(method, route, status, seconds)


def test_requests_are_counted_by_method_route_and_status() -> None:
    metrics = Metrics()
    for method, route, status in [
        ("GET", "/v1/users/{user_id}", 200),
        ("GET", "/v1/users/{user_id}", 200),
        ("GET", "/v1/users/{user_id}", 404),
        ("BREW", None, 405),
        ("SPILL", None, 405),
    ]:
        answer(metrics, method, route, status)
    counted = {key[1:]: value for key, value in samples_of(metrics).items() if key[0].endswith("_requests_total")}
    assert counted == {
        ("GET", "/v1/users/{user_id}", "200"): 2,
        ("GET", "/v1/users/{user_id}", "404"): 1,
        ("other", "none", "405"): 2,
    }


@pytest.mark.parametrize(
    ("seconds", "limit"),
    [
        (0.0, "0.001"),
        (0.001, "0.001"),
        (0.0011, "0.0025"),
        (0.25, "0.25"),
        (0.7, "1.0"),
        (10.0, "10.0"),
        (10.1, "+Inf"),
    ],
)
def test_a_duration_is_in_the_first_bucket_that_holds_it_and_in_all_after(seconds: float, limit: str) -> None:
    metrics = Metrics()
    answer(metrics, "GET", "/health", 200, seconds)
    buckets = {key[1]: value for key, value in samples_of(metrics).items() if key[0] == f"{DURATION}_bucket"}
    assert len(buckets) == 14
    for upper, value in buckets.items():
        assert value == (float(upper) >= float(limit))


def test_durations_of_a_route_are_together_whatever_its_status() -> None:
    metrics = Metrics()
    answer(metrics, "GET", "/ready", 200, 0.5)
    answer(metrics, "GET", "/ready", 503, 2.0)
    answer(metrics, "HEAD", "/ready", 200, 4.0)
    samples = samples_of(metrics)
    assert samples[f"{DURATION}_count", "GET", "/ready"] == 2
    assert samples[f"{DURATION}_sum", "GET", "/ready"] == 2.5
    assert samples[f"{DURATION}_bucket", "1.0", "GET", "/ready"] == 1
    assert samples[f"{DURATION}_count", "HEAD", "/ready"] == 1


def test_what_is_in_progress_is_what_began_and_did_not_end() -> None:
    metrics = Metrics()
    metrics.begin_request()
    answer(metrics, "GET", "/health", 200)
    assert samples_of(metrics)["hellojohn_http_requests_in_progress",] == 1
    metrics.end_request("GET", "/health", 200, 0.1)
    assert samples_of(metrics)["hellojohn_http_requests_in_progress",] == 0


def test_a_chore_shows_every_outcome_from_its_first_run_on() -> None:
    metrics = Metrics()
    metrics.count_run("sweep", Outcome.OK)
    metrics.count_run("sweep", Outcome.OK)
    runs = {key[1:]: value for key, value in samples_of(metrics).items() if key[0].endswith("_runs_total")}
    assert runs == {("sweep", "failed"): 0, ("sweep", "ok"): 2, ("sweep", "tenant_gone"): 0}


async def test_the_queue_of_passwords_is_shown_as_it_is_just_now() -> None:
    passwords = PasswordHasher(threads=1, waiting=2)
    metrics = Metrics(passwords)
    before = samples_of(metrics)
    assert before["hellojohn_password_hashing_capacity",] == 3
    assert before["hellojohn_password_hashing_jobs",] == 0
    hashing = passwords.hash("correct horse battery staple", owner="tnt_1")
    task = asyncio.ensure_future(hashing)
    await asyncio.sleep(0)
    assert samples_of(metrics)["hellojohn_password_hashing_jobs",] == 1
    await task
    assert samples_of(metrics)["hellojohn_password_hashing_jobs",] == 0
    passwords.close()


def test_the_build_and_the_process_are_shown() -> None:
    samples = samples_of(Metrics())
    assert samples["hellojohn_build_info", __version__] == 1
    assert samples["process_resident_memory_bytes",] > 0
    assert any(key[0] == "python_info" for key in samples)
    assert ("python_gc_collections_total", "0") in samples
    assert not any(key[0].endswith("_created") for key in samples)
