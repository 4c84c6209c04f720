"""What tests of jobs are given."""

import pytest

from tests.features.auth.parts import Front
from tests.features.jobs.parts import Office


@pytest.fixture
def office(front: Front) -> Office:
    """A tenant with its keys, over each store."""
    return Office(front)
