"""Nothing grows past what can be read: functions of 60 lines, source files of 500, test files of 1,000."""

import ast
from collections.abc import Iterable, Iterator
from typing import Final

from tools.lint.sources import Module, Violation

FUNCTION_LINES: Final = 60
SOURCE_LINES: Final = 500
GENERATED_LINES: Final = 1000
GENERATED_FUNCTION_LINES: Final = 100
"""A class of the SDK has a method for each operation of its resource, a method a parameter for each field."""
TEST_LINES: Final = 1000


def check_sizes(
    modules: Iterable[Module], file_lines: int, function_lines: int = FUNCTION_LINES
) -> Iterator[Violation]:
    """Yield every function over `function_lines` and every file over `file_lines`."""
    for module in modules:
        lines = len(module.text.splitlines())
        if lines > file_lines:
            yield Violation(module.path, file_lines + 1, f"{lines} lines, over {file_lines}: split it")
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > function_lines:
                    yield module.at(node, f"{node.name} has {length} lines, over {function_lines}: split it")
