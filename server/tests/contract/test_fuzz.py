"""Requests made from the document, some at every operation, on each store (twenty thousand by `make contract`)."""

from pathlib import Path

import pytest

from tests.contract.fuzz import run

CASES = 300
SUCCEED_AT_LEAST = 20


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_whatever_is_asked_the_answer_is_one_that_the_document_names(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = request.getfixturevalue("postgres_url") if kind == "postgres" else None

    report = run(tmp_path, CASES, seed=1, database_url=url)

    assert report.findings == []
    assert report.cases >= CASES
    assert len(report.succeeded) >= SUCCEED_AT_LEAST
