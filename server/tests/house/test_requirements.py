"""What is installed is pinned by hash, and what is imported is asked for."""

import ast
import json
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any, Final

import pytest

from tools.lint.sources import PACKAGE, Module, Project

ROOT: Final = Path(__file__).resolve().parents[3]
REQUIREMENTS: Final = ROOT / "requirements"
PIN: Final = re.compile(r"([a-z0-9-]+)==[0-9][\w.]*(?: ; [^\\]+)? \\\n(?:    --hash=sha256:[0-9a-f]{64}(?: \\\n|\n))+")
NAME: Final = re.compile(r"^([a-z0-9-]+)", re.MULTILINE)
SDK: Final = "hellojohn"
LOCAL: Final = frozenset({PACKAGE, SDK, "bench", "tests", "tools"})


def _asked(name: str) -> set[str]:
    """Return the names that a .in file asks for."""
    return set(NAME.findall((REQUIREMENTS / f"{name}.in").read_text(encoding="utf-8"))) - {"-c"}


def _declared(directory: str) -> dict[str, Any]:
    """Return what a distribution of ours says of itself."""
    text = (ROOT / directory / "pyproject.toml").read_text(encoding="utf-8")
    declared: dict[str, Any] = tomllib.loads(text)["project"]
    return declared


def _pinned(name: str) -> dict[str, str]:
    text = (REQUIREMENTS / f"{name}.txt").read_text(encoding="utf-8")
    return {match.group(1): match.group(0) for match in PIN.finditer(text)}


def _imported(modules: list[Module]) -> set[str]:
    """Return the distributions, besides Python's own, that modules import."""
    names: set[str] = set()
    for module in modules:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module is not None:
                names.add(node.module.split(".")[0])
    installed = packages_distributions()
    return {
        distribution.lower().replace("_", "-")
        for name in names - LOCAL - sys.stdlib_module_names
        for distribution in installed[name]
    }


@pytest.mark.parametrize("name", ["build", "dev", "lock", "run"])
def test_everything_is_pinned_by_hash_and_from_no_address(name: str) -> None:
    text = (REQUIREMENTS / f"{name}.txt").read_text(encoding="utf-8")
    assert re.sub(r"^ *#.*\n", "", PIN.sub("", text), flags=re.MULTILINE).strip() == ""
    assert "://" not in text
    assert _asked(name) <= _pinned(name).keys()


def test_what_both_the_server_and_its_tests_need_is_the_same_release() -> None:
    run, dev = _pinned("run"), _pinned("dev")
    assert {name for name in run.keys() & dev.keys() if run[name].split()[0] != dev[name].split()[0]} == set()


def test_what_the_source_imports_is_asked_for() -> None:
    project = Project(ROOT)
    server, sdk = _declared("server"), _declared("sdk/python")
    assert (set(server["dependencies"]) - {SDK}) | set(sdk["dependencies"]) == _asked("run")
    assert _imported(project.sources) <= set(server["dependencies"])
    of_sdk = {name for extra in sdk["optional-dependencies"].values() for name in extra} | set(sdk["dependencies"])
    assert _imported([*project.sdk, *project.generated]) == of_sdk
    assert _imported(project.tests) | _imported(project.tools) <= _asked("run") | _asked("dev") | _asked("build")


@pytest.mark.parametrize(("directory", "needed"), [("server/tests/interop", "jose"), ("sdk/typescript", "typescript")])
def test_what_node_is_given_is_pinned_by_hash_and_from_no_address(directory: str, needed: str) -> None:
    lock = json.loads((ROOT / directory / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert f"node_modules/{needed}" in packages
    for package in packages.values():
        assert package["integrity"].startswith("sha512-")
        assert "resolved" not in package
