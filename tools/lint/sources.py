"""The repository as the checks see it: parsed modules, test files, tracked files."""

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

PACKAGE = "hellojohn_server"
_SOURCE = Path("server/src") / PACKAGE
_TESTS = Path("server/tests")
_TOOLS = ("bench", "tools")
_SDK = Path("sdk/python/src/hellojohn")


class Violation(NamedTuple):
    """A rule broken: where (path from the root of the repository, line), and what to do about it."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


@dataclass(frozen=True)
class Module:
    """One parsed file. `name` is dotted, from the package on for sources, from the root for others."""

    name: str
    path: str
    text: str
    tree: ast.Module

    @cached_property
    def parts(self) -> tuple[str, ...]:
        """The dotted name without the package: ("features", "users", "service")."""
        return tuple(self.name.split(".")[1:])

    def at(self, node: ast.AST, message: str) -> Violation:
        """Return a violation at `node`."""
        return Violation(self.path, getattr(node, "lineno", 1), message)


@dataclass(frozen=True)
class Project:
    """A checkout."""

    root: Path

    @cached_property
    def sources(self) -> list[Module]:
        """Every module of the server."""
        return list(self._modules(_SOURCE, PACKAGE))

    @cached_property
    def tests(self) -> list[Module]:
        """Every module of the tests."""
        return list(self._modules(_TESTS, "tests"))

    @cached_property
    def tools(self) -> list[Module]:
        """Every module of the tools and the measurements."""
        return [module for name in _TOOLS for module in self._modules(Path(name), name)]

    @cached_property
    def sdk(self) -> list[Module]:
        """Every module of the Python SDK that is written by hand."""
        return [module for module in self._sdk if not self._is_generated(module)]

    @cached_property
    def generated(self) -> list[Module]:
        """Every module of the Python SDK that tools/sdk writes."""
        return [module for module in self._sdk if self._is_generated(module)]

    @cached_property
    def _sdk(self) -> list[Module]:
        return list(self._modules(_SDK, _SDK.name))

    @staticmethod
    def _is_generated(module: Module) -> bool:
        return module.parts[:1] in {("async_resources",), ("resources",), ("types",)}

    @cached_property
    def source_directories(self) -> frozenset[str]:
        """Every directory of the package, as a path from it: "features/users"."""
        top = self.root / _SOURCE
        return frozenset(path.relative_to(top).as_posix() for path in top.rglob("*") if path.is_dir())

    def tracked(self) -> Iterator[tuple[str, str]]:
        """Yield path and text of every file that git knows (or would take) and that is text."""
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - whichever git made the checkout
            cwd=self.root,
            capture_output=True,
            check=True,
        )
        for name in sorted(set(listed.stdout.decode().split("\0")) - {""}):
            path = self.root / name
            if not path.is_file():
                continue
            try:
                yield name, path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue

    def _modules(self, directory: Path, package: str) -> Iterator[Module]:
        for path in sorted((self.root / directory).rglob("*.py")):
            relative = path.relative_to(self.root / directory).with_suffix("")
            parts = [package, *relative.parts]
            if parts[-1] == "__init__":
                parts.pop()
            text = path.read_text(encoding="utf-8")
            where = path.relative_to(self.root).as_posix()
            yield Module(".".join(parts), where, text, ast.parse(text, where))


def docstrings_of(tree: ast.Module) -> frozenset[int]:
    """Return the ids of the constants that are docstrings, or strings that stand alone as notes under a constant."""
    return frozenset(
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    )


def strings_of(tree: ast.Module) -> Iterator[tuple[ast.expr, str]]:
    """Yield every string that is no docstring, with its value; an f-string as one, "_" for each of its fields."""
    skipped = set(docstrings_of(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            skipped.update(id(piece) for piece in node.values)
            yield node, "".join(str(p.value) if isinstance(p, ast.Constant) else "_" for p in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
            yield node, node.value
