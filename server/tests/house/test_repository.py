from pathlib import Path

from tools.lint.__main__ import check
from tools.lint.sources import Project


def test_this_repository_breaks_no_rule() -> None:
    assert [str(violation) for violation in check(Project(Path(__file__).resolve().parents[3]))] == []
