"""A small checkout with what a test puts into it."""

import textwrap
from collections.abc import Mapping
from pathlib import Path

from tools.lint.sources import Project

SOURCE = "server/src/hellojohn_server"


def plant(root: Path, files: Mapping[str, str]) -> Project:
    """Write `files` (path in the package, or from the root with a leading slash -> text) and return the checkout."""
    for name, text in files.items():
        path = root / (name[1:] if name.startswith("/") else f"{SOURCE}/{name}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
    return Project(root)
