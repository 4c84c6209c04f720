"""What tests of signing in are given."""

import pytest

from tests.features.auth.parts import Front, make_front
from tests.support import RunningApp


@pytest.fixture
async def front(app: RunningApp) -> Front:
    """A tenant with its keys, over each store."""
    return await make_front(app)
