"""What tests of impersonation are given: a support desk, and what puts users into every state."""

import pytest

from tests.features.impersonation.parts import Desk, make_desk
from tests.features.users.conftest import parts, passwords
from tests.features.users.parts import UserParts
from tests.support import RunningApp

__all__ = ["desk", "parts", "passwords"]


@pytest.fixture
async def desk(app: RunningApp, parts: UserParts) -> Desk:
    """A support desk of a tenant, over each store."""
    return await make_desk(app, parts)
