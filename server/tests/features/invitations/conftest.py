"""What tests of invitations are given."""

from typing import Final

import pytest

from tests.features.auth.parts import Front
from tests.features.organizations.parts import Desk
from tests.features.users.conftest import parts, passwords

JOIN_PAGE: Final = "https://app.example.com/join?lang=en"
__all__ = ["desk", "parts", "passwords"]


@pytest.fixture
async def desk(front: Front) -> Desk:
    desk = Desk(front)
    page = {"urls": {"organization_invitation_url": JOIN_PAGE}}
    assert (await front.admin("PATCH", "/v1/admin/config", page)).status_code == 200
    return desk
