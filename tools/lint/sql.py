"""SQL stands only in a feature's repository.py and in storage/."""

import ast
import re
from collections.abc import Iterable, Iterator
from typing import Final

from tools.lint.sources import Module, Violation, strings_of

_LOUD: Final = re.compile(
    r"\b(?:SELECT\s[\s\S]*\bFROM\b|INSERT\s+(?:OR\s+\w+\s+)?INTO\b|UPDATE\s+\w+\s+SET\b|DELETE\s+FROM\b"
    r"|(?:CREATE|ALTER|DROP)\s+(?:TABLE|INDEX|UNIQUE|SCHEMA|DATABASE|VIRTUAL|TRIGGER|VIEW)\b|PRAGMA\s+\w+"
    r"|BEGIN\s+(?:IMMEDIATE|EXCLUSIVE)|ORDER\s+BY\s+\w+|WHERE\s+\w+\s*(?:=|<|>|IN\b|IS\b))"
)
_QUIET: Final = re.compile(
    r"\s*(?:select\s[\s\S]*\sfrom\s|insert\s+into\s|update\s+\w+\s+set\s|delete\s+from\s|pragma\s+\w+\s*[=;(]?)",
    re.IGNORECASE,
)


def check_sql(modules: Iterable[Module]) -> Iterator[Violation]:
    """Yield every string that reads as SQL, and every use of Statement, outside repositories and storage."""
    for module in modules:
        if is_place_for_sql(module.parts):
            continue
        for node, text in strings_of(module.tree):
            if _LOUD.search(text) or _QUIET.match(text):
                yield module.at(node, "SQL outside a repository.py and storage/")
        for name in ast.walk(module.tree):
            if isinstance(name, ast.Name) and name.id == "Statement":
                yield module.at(name, "a Statement outside a repository.py and storage/")


def is_place_for_sql(parts: tuple[str, ...]) -> bool:
    """Say whether the module may hold SQL."""
    return parts[:1] == ("storage",) or (parts[:1] == ("features",) and parts[-1] == "repository")
