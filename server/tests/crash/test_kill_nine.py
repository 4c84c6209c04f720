"""kill -9 of the server under load, five times on each store (fifty by `make crash`)."""

import pytest

from tests.crash.kill_nine import ACKNOWLEDGED_AT_LEAST, crash

ROUNDS = 5


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_nothing_acknowledged_is_lost_and_nothing_is_half_there(kind: str, request: pytest.FixtureRequest) -> None:
    if kind == "postgres":
        request.getfixturevalue("cluster")  # skips where there is no PostgreSQL

    found = list(crash(kind, ROUNDS, seed=1))

    assert len(found) == ROUNDS
    assert min(each.acknowledged for each in found) >= ACKNOWLEDGED_AT_LEAST
    assert found[-1].users >= ROUNDS
