"""What the README and the pages for newcomers tell them to type works, in its order, and answers what they show."""

import re
from pathlib import Path

import pytest

from tests.house.pages import ROOT, differences, follow, shown

README = ROOT / "README.md"
QUICK_START = ROOT / "docs" / "quick-start.md"
ADMIN_CALLS = ROOT / "docs" / "admin-calls.md"


@pytest.mark.parametrize("page", [README, QUICK_START, ADMIN_CALLS], ids=lambda page: page.stem)
def test_every_call_of_a_page_answers_what_it_shows(page: Path, tmp_path: Path) -> None:
    calls, printed = follow(page, tmp_path)
    assert calls > 8
    rows = re.compile(r"^  ([A-Z][\w ]*?) {2,}\S+$", re.MULTILINE)
    if page == QUICK_START:
        assert rows.findall(page.read_text(encoding="utf-8")) == rows.findall(printed) != []


def test_an_answer_that_is_not_as_shown_is_found() -> None:
    expected = shown('{"data": [{"id": "x", "version": 1, ...}, ...], "total": 3, "last": {...}}')
    right = {"data": [{"id": "y", "version": 2, "more": 0}], "total": 9, "last": {"a": 1}}
    assert list(differences(expected, right)) == []
    assert list(differences(expected, right | {"data": [{"id": "y"}], "total": "9", "more": 1})) == [
        ".data[0].version: not in the answer",
        ".total: '9' where 3 is shown",
        ".more: not shown",
    ]
    assert list(differences(expected, right | {"data": []})) == [".data: empty"]


def test_a_page_whose_call_fails_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        '```sh\ncurl "http://localhost:3000/v1/users?colour=blue" -H "Authorization: Bearer sk_live_..."\n```\n'
    )
    with pytest.raises(AssertionError, match="There is no such parameter"):
        follow(page, tmp_path)
