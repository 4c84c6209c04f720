"""What tests of privacy are given: a store of each kind that nothing else was ever written to."""

import pytest

from tests.cli.conftest import Place
from tests.support import serve_environment


@pytest.fixture
def place(engine: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """An empty store of each kind, the test's own."""
    directory = tmp_path_factory.mktemp("place")
    url = request.getfixturevalue("own_postgres_url") if engine == "postgres" else None
    return Place(directory, serve_environment(directory / "data", url))
