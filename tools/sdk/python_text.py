"""Words and types of Python: how the emitters of the Python SDK write names, docstrings and annotations."""

import keyword
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec

from tools.sdk.model import (
    EnumType,
    ListOf,
    Literals,
    MapOf,
    Model,
    Named,
    Nullable,
    Scalar,
    ScalarKind,
    TupleOf,
    Type,
)

COLUMNS: Final = 120
_SETTINGS: Final = Path(__file__).resolve().parents[2] / "server/pyproject.toml"
_MODULES: Final = {
    "Annotated": "typing",
    "Any": "typing",
    "Literal": "typing",
    "Mapping": "collections.abc",
    "Required": "typing",
    "Sequence": "collections.abc",
    "TypeAlias": "typing",
    "TypedDict": "typing",
    "UNSET": "msgspec",
    "UnsetType": "msgspec",
    "Unpack": "typing",
    "Known": "hellojohn._known",
    "datetime": "datetime",
    "overload": "typing",
}
_IN_ANSWERS: Final = {
    ScalarKind.ANY: "Any",
    ScalarKind.BOOLEAN: "bool",
    ScalarKind.INTEGER: "int",
    ScalarKind.NUMBER: "float",
    ScalarKind.STRING: "str",
    ScalarKind.TIME: "datetime",
}


class Written(msgspec.Struct, frozen=True):
    """A piece of Python, and the names that it needs imported."""

    text: str
    names: frozenset[str]


class Annotations:
    """Writes the types of one contract."""

    def __init__(self, model: Model) -> None:
        self._enums = {enum.name for enum in model.enums}

    def in_answer(self, kind: Type) -> Written:
        """Return the annotation of what is read: open to values of a newer server."""
        match kind:
            case Scalar(scalar):
                return _plain(_IN_ANSWERS[scalar])
            case Literals(values) if isinstance(values[0], str):
                return self._around("Known[{}]", _literal(values), "Known")
            case Literals(values):
                return _plain(type(values[0]).__name__)
            case Named(name) if name in self._enums:
                return self._around("Known[{}]", _plain(name), "Known")
            case Named(name):
                return _plain(name)
            case ListOf(item):
                return self._around("list[{}]", self.in_answer(item))
            case MapOf(value):
                return self._around("dict[str, {}]", self.in_answer(value))
            case TupleOf(items):
                return _joined("tuple[{}]", [self.in_answer(item) for item in items])
            case Nullable(inner):
                return self._around("{} | None", self.in_answer(inner))

    def in_request(self, kind: Type) -> Written:
        """Return the annotation of what is sent."""
        match kind:
            case Scalar(ScalarKind.TIME):
                return _plain("datetime", "datetime | str")
            case Scalar(scalar):
                return _plain(_IN_ANSWERS[scalar])
            case Literals(values):
                return _literal(values)
            case Named(name):
                return _plain(name if name in self._enums else f"{name}Input")
            case ListOf(item):
                return self._around("Sequence[{}]", self.in_request(item), "Sequence")
            case MapOf(value):
                return self._around("Mapping[str, {}]", self.in_request(value), "Mapping")
            case TupleOf(items):
                return _joined("tuple[{}]", [self.in_request(item) for item in items])
            case Nullable(inner):
                return self._around("{} | None", self.in_request(inner))

    def _around(self, form: str, inner: Written, *names: str) -> Written:
        return Written(form.format(inner.text), inner.names | set(names))


def _plain(name: str, text: str | None = None) -> Written:
    return Written(name if text is None else text, frozenset({name}))


def _joined(form: str, parts: list[Written]) -> Written:
    names = frozenset(name for part in parts for name in part.names)
    return Written(form.format(", ".join(part.text for part in parts)), names)


def _literal(values: Iterable[str | bool | int]) -> Written:
    return Written(f"Literal[{', '.join(quoted(value) for value in values)}]", frozenset({"Literal"}))


def quoted(value: object) -> str:
    """Return a value as Python writes it, texts in double quotes."""
    return msgspec.json.encode(value).decode() if isinstance(value, str) else repr(value)


def python_name(name: str) -> str:
    """Return the name of a field as a parameter: `from` becomes `from_`."""
    return f"{name}_" if keyword.iskeyword(name) else name


def class_name(path: Iterable[str]) -> str:
    """Return the name of the class of a resource."""
    return "".join(word.capitalize() for part in path for word in part.split("_")) or "Resources"


def docstring(text: str, notes: Iterable[str] = (), *, indent: int) -> list[str]:
    """Return the lines of a docstring: the first line of `text`, the rest of it, and a line for each note."""
    margin = " " * indent
    summary, _, rest = text.strip().replace("\\", "\\\\").partition("\n")
    paragraphs = [" ".join(part.split()) for part in rest.split("\n\n") if part.strip()]
    first = sentence(summary)
    if indent + len(first) + len('""""""') > COLUMNS:
        cut = max(first.rfind(". ", 0, COLUMNS - indent - 3), first.rfind("; ", 0, COLUMNS - indent - 3))
        cut = cut if cut > 0 else first.rfind(", ", 0, COLUMNS - indent - 4)
        first, left = sentence(first[:cut]), first[cut + 1 :].strip()
        paragraphs.insert(0, left[0].upper() + left[1:])
    body = [line for part in paragraphs for line in ("", *textwrap.wrap(part, COLUMNS - indent))]
    told = [line for note in notes for line in textwrap.wrap(note, COLUMNS - indent, subsequent_indent="  ")]
    if told:
        body += ["", *told]
    if not body:
        return [f'{margin}"""{first}"""']
    return [f'{margin}"""{first}', *(f"{margin}{line}".rstrip() for line in body), f'{margin}"""']


def sentence(text: str) -> str:
    """Return a text with the stop that it may lack."""
    return text if text.endswith((".", "?", "!")) else f"{text.rstrip(',;:')}."


def imports_of(names: Iterable[str], own: Mapping[str, str], here: str = "") -> list[str]:
    """Return the import lines for names: Python's and the SDK's by a table, others by the module that `own` says."""
    by_module: dict[str, set[str]] = {}
    for name in names:
        module = _MODULES.get(name) or own.get(name)
        if module is not None and module != here:
            by_module.setdefault(module, set()).add(name)
    groups: tuple[list[str], list[str], list[str]] = ([], [], [])
    for module in sorted(by_module):
        group = 2 if module.startswith("hellojohn") else 1 if module == "msgspec" else 0
        wanted = sorted(by_module[module], key=lambda name: (not name.isupper(), not name[0].isupper(), name))
        groups[group].append(f"from {module} import {', '.join(wanted)}")
    return [line for group in groups if group for line in (*group, "")]


def formatted(files: Mapping[str, str]) -> dict[str, str]:
    """Return files of Python as the formatter of the house writes them."""
    ruff = Path(sys.executable).with_name("ruff")
    with tempfile.TemporaryDirectory() as directory:
        for name, text in files.items():
            path = Path(directory, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        for arguments in (["check", "--quiet", "--fix", "--select", "I"], ["format", "--quiet"]):
            command = [str(ruff), *arguments, "--no-cache", "--config", str(_SETTINGS), directory]
            subprocess.run(command, check=True)  # noqa: S603 - our own formatter on our own files
        return {name: Path(directory, name).read_text(encoding="utf-8") for name in files}


def enum_lines(enum: EnumType) -> Iterator[str]:
    """Yield the definition of an enum: the texts that this version knows."""
    yield f"{enum.name}: TypeAlias = {_literal(enum.values).text}"
    yield from docstring(enum.description, indent=0)
