"""What tests of users and of bulk acts are given."""

from collections.abc import Iterator

import pytest

from hellojohn_server.kit.ids import IdFactory
from hellojohn_server.kit.passwords import PasswordHasher
from hellojohn_server.storage.database import Database
from tests.conftest import ManualClock
from tests.features.users.parts import UserParts


@pytest.fixture(scope="session")
def passwords() -> Iterator[PasswordHasher]:
    hasher = PasswordHasher(waiting=1000)
    yield hasher
    hasher.close()


@pytest.fixture
def parts(database: Database, ids: IdFactory, clock: ManualClock, passwords: PasswordHasher) -> UserParts:
    return UserParts(database, ids, clock, passwords)
