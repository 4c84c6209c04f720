"""Vocabularies are alphabetised enums and nowhere else; features have fixed files, repositories fixed verbs."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Final

from tools.lint.imports import FILES
from tools.lint.sources import Module, Violation, strings_of

ENUM_BASES: Final = {"Enum", "IntEnum", "StrEnum"}

VOCABULARIES: Final = {
    "hellojohn_server.kit.audit_types": "AuditType",
    "hellojohn_server.kit.error_codes": "ErrorCode",
    "hellojohn_server.kit.scopes": "Scope",
}
"""Files of alphabetised enums, and the one in each whose values are written nowhere else in the source."""

ALLOWED_STRINGS: Final[Mapping[tuple[str, str], str]] = {
    ("hellojohn_server.features.bulk.service", "not_found"): "the number of ids that name nobody, in the audit entry",
    ("hellojohn_server.features.sessions.schemas", "refresh_token_reused"): "why a session ended",
    ("hellojohn_server.features.sessions.schemas", "session_revoked"): "why a session ended",
    ("hellojohn_server.features.sessions.schemas", "user_banned"): "why a session ended",
    ("hellojohn_server.features.sessions.schemas", "user_deleted"): "why a session ended",
    ("hellojohn_server.features.sessions.schemas", "user_disabled"): "why a session ended",
    ("hellojohn_server.features.users.schemas", "password_reset_required"): "a field of a user",
}
"""(module, value) -> why this string equals a value of a vocabulary by chance."""

VERBS: Final = ("get_", "list_", "search_", "insert_", "update_", "delete_", "consume_", "claim_", "count_")


def check_enums(modules: Iterable[Module]) -> Iterator[Violation]:
    """Yield every member of a vocabulary's enums that stands after one that its words should follow."""
    for module in modules:
        if module.name not in VOCABULARIES:
            continue
        for enum in _enums(module):
            members = list(_members(enum))
            for before, after in pairwise(members):
                if after[0].split("_") < before[0].split("_"):
                    yield module.at(after[1], f"{enum.name}.{after[0]} belongs before {before[0]}")


def check_vocabularies(modules: Iterable[Module]) -> Iterator[Violation]:
    """Yield every string that repeats a scope, an audit type or an error code outside its enum."""
    sources = list(modules)
    values: dict[str, str] = {}
    for module in sources:
        for enum in _enums(module):
            if VOCABULARIES.get(module.name) == enum.name:
                values.update({value: f"{enum.name}.{name}" for name, node in _members(enum) for value in _value(node)})
    for module in sources:
        if module.name in VOCABULARIES:
            continue
        for node, text in strings_of(module.tree):
            if text in values and (module.name, text) not in ALLOWED_STRINGS:
                yield module.at(node, f'"{text}" is {values[text]}: use the enum')


def check_files(modules: Iterable[Module]) -> Iterator[Violation]:
    """Yield every file of a feature that has none of the fixed names, and every one called utils or helpers."""
    for module in modules:
        parts = module.parts
        if {"utils", "helpers", "util", "helper", "common", "misc"} & set(parts):
            yield Violation(module.path, 1, "name it after what it holds")
        if parts[:1] == ("features",) and len(parts) > 2 and (len(parts) > 3 or parts[2] not in FILES):  # noqa: PLR2004 - features, feature, file
            yield Violation(module.path, 1, f"a feature has only the files {', '.join(FILES)}")


def check_verbs(modules: Iterable[Module]) -> Iterator[Violation]:
    """Yield every public coroutine of a repository that starts with none of the verbs or takes no transaction first."""
    for module in modules:
        if module.parts[:1] != ("features",) or module.parts[-1] != "repository":
            continue
        for node in module.tree.body:
            if not isinstance(node, ast.AsyncFunctionDef) or node.name.startswith("_"):
                continue
            if not node.name.startswith(VERBS):
                yield module.at(node, f"{node.name} starts with none of {' '.join(VERBS)}")
            first = node.args.args[0].annotation if node.args.args else None
            if not (isinstance(first, ast.Name) and first.id in {"Reader", "Transaction"}):
                yield module.at(node, f"{node.name} takes a Reader or a Transaction first")


def _enums(module: Module) -> Iterator[ast.ClassDef]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ClassDef) and any(isinstance(b, ast.Name) and b.id in ENUM_BASES for b in node.bases):
            yield node


def _members(enum: ast.ClassDef) -> Iterator[tuple[str, ast.Assign]]:
    for node in enum.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            yield node.targets[0].id, node


def _value(node: ast.Assign) -> Iterator[str]:
    if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        yield node.value.value
