from pathlib import Path

from tests.house.planted import plant
from tools.lint.sizes import FUNCTION_LINES, SOURCE_LINES, TEST_LINES, check_sizes


def _function(lines: int) -> str:
    return "def f():\n" + "    pass\n" * (lines - 1)


def test_a_function_may_have_sixty_lines_and_no_more(tmp_path: Path) -> None:
    assert FUNCTION_LINES == 60
    assert list(check_sizes(plant(tmp_path, {"kit/a.py": _function(60)}).sources, SOURCE_LINES)) == []
    found = list(check_sizes(plant(tmp_path, {"kit/a.py": _function(61)}).sources, SOURCE_LINES))
    assert [violation.message for violation in found] == ["f has 61 lines, over 60: split it"]


def test_a_method_counts_as_a_function(tmp_path: Path) -> None:
    text = "class C:\n    async def f(self):\n" + "        pass\n" * 60
    found = list(check_sizes(plant(tmp_path, {"kit/a.py": text}).sources, SOURCE_LINES))
    assert [violation.line for violation in found] == [2]


def test_a_source_file_may_have_five_hundred_lines_and_a_test_file_a_thousand(tmp_path: Path) -> None:
    assert (SOURCE_LINES, TEST_LINES) == (500, 1000)
    project = plant(tmp_path, {"kit/a.py": "x = 1\n" * 501, "/server/tests/kit/test_a.py": "x = 1\n" * 1001})
    assert [violation.line for violation in check_sizes(project.sources, SOURCE_LINES)] == [501]
    assert [violation.line for violation in check_sizes(project.tests, TEST_LINES)] == [1001]
    project = plant(tmp_path, {"kit/a.py": "x = 1\n" * 500, "/server/tests/kit/test_a.py": "x = 1\n" * 1000})
    assert list(check_sizes(project.sources, SOURCE_LINES)) == []
    assert list(check_sizes(project.tests, TEST_LINES)) == []
