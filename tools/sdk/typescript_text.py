"""How TypeScript writes names, types and comments."""

import re
import textwrap
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from tools.sdk.model import Field, ListOf, Literals, MapOf, Named, Nullable, Scalar, ScalarKind, TupleOf, Type

WIDTH: Final = 120
HEADER: Final = "// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.\n"
_SCALARS: Final = {
    ScalarKind.ANY: "unknown",
    ScalarKind.BOOLEAN: "boolean",
    ScalarKind.INTEGER: "number",
    ScalarKind.NUMBER: "number",
    ScalarKind.STRING: "string",
    ScalarKind.TIME: "string",
}


def camel(name: str) -> str:
    """Return a name in snake_case as TypeScript writes those of methods and arguments."""
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def pascal(name: str) -> str:
    """Return a name in snake_case as TypeScript writes those of types."""
    return "".join(word.capitalize() for word in name.split("_"))


def type_text(kind: Type) -> str:
    """Return a type as TypeScript writes it."""
    match kind:
        case Scalar(scalar):
            return _SCALARS[scalar]
        case Literals(values):
            return " | ".join(msgspec.json.encode(value).decode() for value in values)
        case Named(name):
            return name
        case ListOf(item):
            inner = type_text(item)
            return f"({inner})[]" if " | " in inner else f"{inner}[]"
        case MapOf(value):
            return f"Record<string, {type_text(value)}>"
        case TupleOf(items):
            return f"[{', '.join(type_text(item) for item in items)}]"
        case Nullable(inner_kind):
            return f"{type_text(inner_kind)} | null"


def comment(text: str, indent: str = "") -> str:
    """Return a text as a comment before a declaration, wrapped; "" when there is none."""
    paragraphs = [" ".join(part.split()) for part in re.split(r"\n\s*\n", text.strip())]
    if not paragraphs[0]:
        return ""
    if len(paragraphs) == 1 and len(indent) + len(paragraphs[0]) + len("/**  */") <= WIDTH:
        return f"{indent}/** {paragraphs[0]} */\n"
    lines: list[str] = []
    for paragraph in paragraphs:
        lines += ["", *textwrap.wrap(paragraph, WIDTH - len(indent) - len(" * "), break_long_words=False)]
    return f"{indent}/**\n" + "".join(f"{indent} * {line}".rstrip() + "\n" for line in lines[1:]) + f"{indent} */\n"


def interface(name: str, description: str, fields: Sequence[Field]) -> str:
    """Return the declaration of an object."""
    body = "".join(
        comment(field.description, "  ") + f"  {field.name}{'' if field.required else '?'}: {type_text(field.type)};\n"
        for field in fields
    )
    return f"{comment(description)}export interface {name} {{\n{body}}}\n"


def union(name: str, description: str, values: Iterable[str]) -> str:
    """Return the declaration of some texts with a name."""
    literals = [f'"{value}"' for value in values]
    line = f"export type {name} = {' | '.join(literals)};\n"
    if len(line) > WIDTH:
        line = f"export type {name} =\n" + "\n".join(f"  | {literal}" for literal in literals) + ";\n"
    return comment(description) + line


def imports(names: Iterable[str], source: str, *, only_types: bool = True) -> str:
    """Return the line (or lines) that import names; "" when there are none."""
    wanted = sorted(set(names))
    if not wanted:
        return ""
    start = "import type" if only_types else "import"
    line = f'{start} {{ {", ".join(wanted)} }} from "{source}";\n'
    if len(line) > WIDTH:
        line = f"{start} {{\n" + "".join(f"  {name},\n" for name in wanted) + f'}} from "{source}";\n'
    return line
