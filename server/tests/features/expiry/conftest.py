"""What tests of timed states are given: what those of users are, and the service."""

import pytest

from hellojohn_server.features.expiry.service import ExpiryService
from tests.features.users.conftest import parts, passwords
from tests.features.users.parts import UserParts

__all__ = ["expiry", "parts", "passwords"]


@pytest.fixture
def expiry(parts: UserParts) -> ExpiryService:
    return ExpiryService(parts.database, parts.ids, parts.log, parts.acts)
