"""Tests mirror the source, skip nothing and mock nothing of ours."""

import ast
from collections.abc import Iterable, Iterator
from typing import Final

from tools.lint.sources import Module, Project, Violation

OWN_DIRECTORIES: Final = {
    "bench": "the short forms of the measurements",
    "browser": "what a real browser makes of what we hand out",
    "contract": "what callers nobody thought of are answered",
    "crash": "what survives a killed process",
    "house": "the rules of the house",
    "interop": "what other people's libraries make of what we hand out",
    "sdk/python": "what the Python SDK makes of a running server",
    "sdk/typescript": "what the TypeScript SDK makes of a running server",
    "privacy": "what every table holds of a person, whichever feature it is of",
    "walk": "what every operation of the API must do, whichever feature it is of",
}
"""Test directories that mirror no folder of the source, and what they are for."""

MOCKS: Final = {"mock", "pytest_mock", "unittest.mock"}
SKIPPERS: Final = {"importorskip", "skip", "skipif", "xfail"}
MAY_SKIP: Final = {
    "tests.conftest": "a machine without PostgreSQL runs the tests of the other store",
    "tests.browser.test_passkeys": "no machine must have a browser: `make browser` runs it where there is one",
    "tests.interop.conftest": "an environment made before jose was needed runs all other tests",
    "tests.sdk.typescript.conftest": "an environment made before the compiler was needed runs all other tests",
}


def check_mirror(project: Project) -> Iterator[Violation]:
    """Yield every test file in a directory that the source does not have."""
    for module in project.tests:
        *directories, name = module.parts or ("__init__",)
        where = "/".join(directories)
        if name.startswith("test_") and where and where not in project.source_directories | OWN_DIRECTORIES.keys():
            yield Violation(module.path, 1, f"there is no {where}/ in the source: tests mirror it")


def check_honesty(modules: Iterable[Module]) -> Iterator[Violation]:
    """Yield every skipped or expected failure and every mock."""
    for module in modules:
        for node in ast.walk(module.tree):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
            if MOCKS & set(names):
                yield module.at(node, "a mock: tests use the real stack")
            if module.name not in MAY_SKIP and _is_skip(node):
                yield module.at(node, "a skipped test: repair it or remove it")


def _is_skip(node: ast.AST) -> bool:
    if not isinstance(node, ast.Attribute) or node.attr not in SKIPPERS:
        return False
    owner = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", None)
    return owner in {"pytest", "mark"}
