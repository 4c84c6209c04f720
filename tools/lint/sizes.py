"""Nothing grows past what can be read: functions of 60 lines, source files of 500, test files of 1,000."""

import ast
from collections.abc import Iterable, Iterator
from typing import Final

from tools.lint.sources import Module, Violation

FUNCTION_LINES: Final = 60
SOURCE_LINES: Final = 500
TEST_LINES: Final = 1000


def check_sizes(modules: Iterable[Module], file_lines: int) -> Iterator[Violation]:
    """Yield every function over FUNCTION_LINES and every file over `file_lines`."""
    for module in modules:
        lines = len(module.text.splitlines())
        if lines > file_lines:
            yield Violation(module.path, file_lines + 1, f"{lines} lines, over {file_lines}: split it")
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > FUNCTION_LINES:
                    yield module.at(node, f"{node.name} has {length} lines, over {FUNCTION_LINES}: split it")
