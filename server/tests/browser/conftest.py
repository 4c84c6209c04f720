"""What the tests in a browser are given."""

from tests.cli.conftest import embedded

__all__ = ["embedded"]
