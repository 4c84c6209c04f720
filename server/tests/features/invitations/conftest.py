"""What tests of invitations are given."""

import pytest

from tests.features.auth.parts import Front
from tests.features.organizations.parts import Desk
from tests.features.users.conftest import parts, passwords

__all__ = ["desk", "parts", "passwords"]


@pytest.fixture
async def desk(front: Front) -> Desk:
    return Desk(front)
