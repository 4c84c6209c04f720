"""kill -9 of the server during a job, twice on each store (ten times during a big one by `make jobs-crash`)."""

import pytest

from tests.crash.kill_jobs import crash

USERS = 1500
KILLS = 2


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_job_adds_up_through_kills(kind: str, request: pytest.FixtureRequest) -> None:
    if kind == "postgres":
        request.getfixturevalue("cluster")  # skips where there is no PostgreSQL

    found = crash(kind, USERS, KILLS)

    assert len(found.killed_at) == KILLS
    assert all(0 < done < found.users for done in found.killed_at)
