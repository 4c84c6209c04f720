"""No page names a scope, error code, type of audit entry, command or operation that does not exist."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import typer.main
from typer.core import TyperGroup

from hellojohn_server.cli.root import app
from hellojohn_server.kit.audit_types import AuditType
from hellojohn_server.kit.error_codes import ErrorCode, FieldCode
from hellojohn_server.kit.scopes import Scope
from tests.house.pages import ROOT

PAGES: Final = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs" / "api").glob("*.md")),
]
OPERATIONS: Final = tomllib.loads(Path(__file__).with_name("scopes.toml").read_text(encoding="utf-8"))
UNDOCUMENTED: Final = {"/docs", "/openapi.json", "/metrics"}
SHORTENED: Final = ("...", "…")
MADE_UP_ENTRIES: Final = {"invoice.sent", "user.suspended"}
"""What the examples have applications write."""

CODES: Final = re.compile(r"\b[45]\d\d `(\w+)`((?: · `\w+`)*)")
SHOWN_CODE: Final = re.compile(r'"error":\s*\{\s*"code": "(\w+)"')
ENTRY: Final = re.compile(r'`([a-z_]+\.[a-z_]+)`|"type": "([a-z_]+\.[a-z_]+)"|[?&]type=([a-z_]+\.[a-z_]+)')
SCOPE: Final = re.compile(r"`([a-z]+:[a-z]+)`")
COMMAND: Final = re.compile(r"`(hj [^`\n]+)`|^(?:[A-Z_]+=\S+ )*(hj (?!= ).+)$", re.MULTILINE)
ENDS: Final = re.compile(r"   | \| (?=hj |jq )")
"""What comes after a command on its line: a comment, or another command."""

OPERATION: Final = re.compile(r"\b(GET|POST|PUT|PATCH|DELETE) (/[^\s`?]*)")
FIRST_CELL: Final = re.compile(r"^\| ((?:`[\w.:]+` ?)+)\|", re.MULTILINE)
OWN_TABLES: Final[Mapping[str, frozenset[str]]] = {
    "audit.md": frozenset(kind.value for kind in AuditType),
    "errors.md": frozenset(code.value for code in (*ErrorCode, *FieldCode)),
    "scopes.md": frozenset(scope.value for scope in Scope),
}


def wrong_codes(text: str) -> Iterator[str]:
    named = {code for first, rest in CODES.findall(text) for code in (first, *re.findall(r"\w+", rest))}
    yield from sorted((named | set(SHOWN_CODE.findall(text))) - {code.value for code in ErrorCode})


def wrong_entries(text: str) -> Iterator[str]:
    known = {kind.value for kind in AuditType}
    families = {kind.partition(".")[0] for kind in known}
    for named in sorted({"".join(found) for found in ENTRY.findall(text)} - known - MADE_UP_ENTRIES):
        family, _, act = named.partition(".")
        if family in families and act not in {"md", "db"}:
            yield named


def wrong_scopes(text: str) -> Iterator[str]:
    known = {scope.value for scope in Scope}
    families = {scope.partition(":")[0] for scope in known}
    yield from sorted(name for name in set(SCOPE.findall(text)) - known if name.partition(":")[0] in families)


def wrong_commands(text: str) -> Iterator[str]:
    for inline, line in COMMAND.findall(text):
        command: Any = typer.main.get_command(app)
        for word in re.sub(r"\[|\]", " ", ENDS.split(inline or line)[0]).split()[1:]:
            if word.startswith("-"):
                options = {option for one in command.params for option in (*one.opts, *one.secondary_opts)}
                if word not in {*options, "--help"}:
                    yield inline or line
            elif isinstance(command, TyperGroup):
                command = command.commands.get(word)
                if command is None:
                    yield inline or line
                    break


def wrong_operations(text: str) -> Iterator[str]:
    known = {re.sub(r"\{\w+\}", "{}", operation) for operation in OPERATIONS}
    for method, path in OPERATION.findall(text):
        plain = re.sub(r"\{[\w ]+\}|\$[A-Z]+|\b(?:usr|ses|key|tnt|fac|org)_\w+", "{}", path.rstrip(".,:;)\"'"))
        if f"{method} {plain}" not in known and not path.endswith(SHORTENED) and plain not in UNDOCUMENTED:
            yield f"{method} {path}"


CHECKS: Final = [wrong_codes, wrong_entries, wrong_scopes, wrong_commands, wrong_operations]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_names_what_does_not_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert {check.__name__: [*check(text)] for check in CHECKS} == {check.__name__: [] for check in CHECKS}


@pytest.mark.parametrize("page", OWN_TABLES)
def test_the_tables_of_names_have_no_others(page: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    form = {"audit.md": r"[a-z_]+\.[a-z_]+", "errors.md": r"[a-z_]+", "scopes.md": r"[a-z]+:[a-z]+"}[page]
    named = {name for cell in FIRST_CELL.findall(text) for name in re.findall(rf"`({form})`", cell)}
    assert named == OWN_TABLES[page]


def test_what_does_not_exist_is_found() -> None:
    text = """
403 `insufficient_scope` · `scope_missing`
{"error": {"code": "not_there", "message": ""}}, `users:look`, `documents:read`
`user.disabled` `user.vanished`, "type": "session.lost", `invoice.sent`, `users.md`
`hj keys make` `hj keys rotate --later` `hj serve --port`, GET /v1/users/{id}, `POST /v1/users/{id}/vanish`
"""
    assert {check.__name__: [*check(text)] for check in CHECKS} == {
        "wrong_codes": ["not_there", "scope_missing"],
        "wrong_entries": ["session.lost", "user.vanished"],
        "wrong_scopes": ["users:look"],
        "wrong_commands": ["hj keys make", "hj keys rotate --later"],
        "wrong_operations": ["POST /v1/users/{id}/vanish"],
    }
