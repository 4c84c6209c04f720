"""What tests of organizations are given."""

import pytest

from tests.features.auth.parts import Front
from tests.features.organizations.parts import Desk


@pytest.fixture
async def desk(front: Front) -> Desk:
    return Desk(front)
