"""What tests of links are given."""

from tests.features.users.conftest import parts, passwords

__all__ = ["parts", "passwords"]
