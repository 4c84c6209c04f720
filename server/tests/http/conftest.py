"""The app that the tests of the door knock at."""

import pytest

from hellojohn_server.kit.ids import IdFactory
from tests.http.things import Door


@pytest.fixture
def door(ids: IdFactory) -> Door:
    """An app over the test operations, with default settings."""
    return Door(ids)
