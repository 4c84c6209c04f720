"""What a user must be able to look up stands in docs/, under the name that they meet."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import typer.main
from typer.core import TyperGroup

from hellojohn_server.cli.root import app
from hellojohn_server.config import CLIENT_VARIABLES, PREFIX, Settings, is_injected
from hellojohn_server.features.sessions.schemas import RevokeCause
from hellojohn_server.kit.audit_types import AuditType
from hellojohn_server.kit.email_templates import EmailTemplate
from hellojohn_server.kit.error_codes import ErrorCode, FieldCode
from hellojohn_server.kit.scopes import Scope

ROOT: Final = Path(__file__).resolve().parents[3]
DOCS: Final = ROOT / "docs"
PAGES: Final = sorted(DOCS.rglob("*.md"))
EVERY_PAGE: Final = [*sorted(ROOT.glob("*.md")), *PAGES]
LINK: Final = re.compile(r"(?<!!)\[[^\]\n]+\]\(([^)\s]+)\)")
HEADING: Final = re.compile(r"^#+ +(.+?)\s*$", re.MULTILINE)
FENCE: Final = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def _commands(command: Any, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if isinstance(command, TyperGroup):
        for name, inner in command.commands.items():
            yield from _commands(inner, (*words, name))
    else:
        yield words


def _settings() -> list[str]:
    return [PREFIX + name.upper() for name in Settings.__struct_fields__]


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("configuration.md", _settings()),
        ("errors.md", [code.value for code in (*ErrorCode, *FieldCode)]),
        ("audit.md", [kind.value for kind in AuditType]),
        ("email.md", [template.value for template in EmailTemplate]),
        ("sessions.md", [cause.value for cause in RevokeCause]),
        ("scopes.md", [scope.value for scope in Scope]),
        ("cli*.md", [" ".join(words) for words in _commands(typer.main.get_command(app), ("hj",))]),
    ],
)
def test_every_name_is_documented(page: str, names: list[str]) -> None:
    text = "\n".join(each.read_text(encoding="utf-8") for each in sorted(DOCS.glob(page)))
    assert names
    assert [name for name in names if not re.search(rf"`{re.escape(name)}(?:[ `]|$)", text)] == []


def test_no_page_names_a_setting_that_does_not_exist() -> None:
    known = {*_settings(), *CLIENT_VARIABLES, PREFIX}
    for page in EVERY_PAGE:
        named = set(re.findall(rf"\b{PREFIX}[A-Z0-9_]*", page.read_text(encoding="utf-8")))
        unknown = {name for name in named - known if not is_injected(name, "")}
        assert (page.name, unknown) == (page.name, set())


def _anchors(page: Path) -> set[str]:
    headings = HEADING.findall(FENCE.sub("", page.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", EVERY_PAGE, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name) if name else page
        assert target.exists(), link
        if anchor:
            assert anchor in _anchors(target), link


def test_every_page_is_reached_from_the_index() -> None:
    reached = {DOCS / "index.md"}
    waiting = list(reached)
    while waiting:
        page = waiting.pop()
        for link in LINK.findall(page.read_text(encoding="utf-8")):
            target = (page.parent / link.partition("#")[0]).resolve()
            if target.suffix == ".md" and target.is_relative_to(DOCS) and target not in reached:
                reached.add(target)
                waiting.append(target)
    assert [page.name for page in PAGES if page not in reached] == []
