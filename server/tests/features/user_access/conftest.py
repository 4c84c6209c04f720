"""What tests of acts on users are given: the same as those of users."""

from tests.features.users.conftest import parts, passwords

__all__ = ["parts", "passwords"]
