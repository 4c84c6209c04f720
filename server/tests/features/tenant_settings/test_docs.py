"""docs/tenant-settings.md says of every setting what the structs do."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import msgspec.inspect

from hellojohn_server.features.tenant_settings.schemas import StoredConfig, UpdateConfigBody, config_body

PAGE: Final = Path(__file__).resolve().parents[4] / "docs" / "tenant-settings.md"
ROW: Final = re.compile(r"^\| `(\w+\.\w+)` \| ([^|]*) \| ([^|]*) \|", re.MULTILINE)
TEXT: Final = PAGE.read_text(encoding="utf-8")
SHOWN: Final[dict[str, Any]] = msgspec.json.decode(msgspec.json.encode(config_body(StoredConfig())))
SECTIONS: Final = {name: value for name, value in SHOWN.items() if isinstance(value, dict)}
DOCUMENTED: Final = {name: (default, taken) for name, default, taken in ROW.findall(TEXT)}


def members(body: type[msgspec.Struct]) -> Iterator[tuple[str, msgspec.inspect.Type]]:
    """Yield what may be changed: each setting of each section, and its type."""
    for section in msgspec.structs.fields(body):
        [struct] = [of for of in section.type.__args__ if isinstance(of, type) and issubclass(of, msgspec.Struct)]
        described: Any = msgspec.inspect.type_info(struct)
        yield from ((f"{section.name}.{field.name}", field.type) for field in described.fields)


def bounds(declared: msgspec.inspect.Type) -> str | None:
    """Return what a number takes, as the page says it; None for what is no number."""
    for one in declared.types if isinstance(declared, msgspec.inspect.UnionType) else [declared]:
        if isinstance(one, msgspec.inspect.IntType):
            return f"{one.ge:,} to {one.le:,}"
    return None


def test_every_setting_is_there_with_its_default() -> None:
    defaults = {
        f"{section}.{name}": "each `null`" if name == "templates" else f"`{json.dumps(value)}`"
        for section, settings in SECTIONS.items()
        for name, value in settings.items()
    }
    assert {name: default for name, (default, _) in DOCUMENTED.items()} == defaults


def test_every_setting_may_be_changed_within_its_bounds() -> None:
    declared = dict(members(UpdateConfigBody))
    assert declared.keys() == DOCUMENTED.keys()
    numbers = {name: found for name, type_ in declared.items() if (found := bounds(type_)) is not None}
    assert numbers
    assert {name: DOCUMENTED[name][1] for name in numbers} == numbers


def test_the_answer_that_it_shows_is_that_of_the_defaults() -> None:
    shown = json.loads(TEXT.partition("```json\n")[2].partition("```")[0])
    texts = shown["mail"].pop("templates")
    assert set(texts) - {"…"} <= SECTIONS["mail"]["templates"].keys()
    assert shown == {**SHOWN, "mail": {name: value for name, value in SHOWN["mail"].items() if name != "templates"}}
