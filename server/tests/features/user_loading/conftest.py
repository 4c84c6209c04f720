"""What tests of loading users are given: the same as those of users, and what loads."""

import pytest

from hellojohn_server.features.user_loading.service import UserLoading
from tests.features.users.conftest import parts, passwords
from tests.features.users.parts import UserParts

__all__ = ["parts", "passwords"]


@pytest.fixture
def loading(parts: UserParts) -> UserLoading:
    return UserLoading(parts.clock, parts.log, roles=parts.roles, addresses=parts.addresses)
