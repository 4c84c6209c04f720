"""Writes the types of the TypeScript SDK: a file for each resource, and what several resources share one level up."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile
from typing import Final

from tools.sdk.model import EnumType, Field, Model, Named, ObjectType, Operation, Type
from tools.sdk.reading import names_in
from tools.sdk.typescript_text import HEADER, camel, comment, imports, interface, pascal, union

_SHARED: Final = "shared"
_CONTENT_TYPE: Final = Field(
    "content_type",
    Named("Content"),
    required=False,
    description="How the rows stand in the file: NDJSON if absent, unless a Blob says otherwise of itself",
)


def params_of(operation: Operation) -> tuple[Field, ...]:
    """Return what a caller gives to an operation by name, the required first."""
    fields = [*(operation.body or ()), *operation.query, *([_CONTENT_TYPE] if operation.uploads else [])]
    return tuple(sorted(fields, key=lambda field: not field.required))


def params_name(operation: Operation) -> str:
    """Return the name of the type of that."""
    return f"{pascal(operation.id)}Params"


class TypeFiles:
    """Which type stands in which file, and what is in each."""

    def __init__(self, model: Model) -> None:
        enums = {one.name: one for one in model.enums}
        self._declared: dict[str, EnumType | ObjectType] = {**enums, **{one.name: one for one in model.objects}}
        self._asked = sorted((one for one in model.operations() if params_of(one)), key=params_name)
        users: dict[str, list[tuple[str, ...]]] = {}
        for operation in model.operations():
            for name in self._closure(_mentioned(operation)):
                users.setdefault(name, []).append(operation.method_path[:-1])
        self._places = {name: _file(_common(paths)) for name, paths in users.items()}

    def files(self) -> dict[str, str]:
        """Return the text of each file by its path below the sources."""
        types = {f"types/{place}": self._types(place) for place in set(self._places.values())}
        params = {f"params/{place}": self._params(place) for place in {_file_of(one) for one in self._asked}}
        return {
            **{f"{path}.ts": text for path, text in (types | params).items()},
            "types/index.ts": _index(types),
            "params/index.ts": _index(params),
        }

    def _types(self, place: str) -> str:
        own = sorted(name for name, where in self._places.items() if where == place)
        mentioned = {each for name in own for each in self._mentioned_by(name)} - set(own)
        places: dict[str, list[str]] = {}
        for name in mentioned:
            places.setdefault(f"./{self._places[name]}.js", []).append(name)
        lines = "".join(imports(places[where], where) for where in sorted(places))
        return "\n".join([HEADER, *([lines] if lines else []), *(_declaration(self._declared[name]) for name in own)])

    def _params(self, place: str) -> str:
        own = [one for one in self._asked if _file_of(one) == place]
        mentioned = {name for one in own for field in params_of(one) for name in names_in(field.type)}
        lines = imports(mentioned, "../types/index.js")
        parts = [interface(params_name(one), f"What `{_method(one)}` is given.", params_of(one)) for one in own]
        return "\n".join([HEADER, *([lines] if lines else []), *parts])

    def _closure(self, names: Iterable[str]) -> set[str]:
        found: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in found and name in self._declared:
                found.add(name)
                waiting += self._mentioned_by(name)
        return found

    def _mentioned_by(self, name: str) -> list[str]:
        declared = self._declared[name]
        if isinstance(declared, EnumType):
            return []
        return [mentioned for field in declared.fields for mentioned in names_in(field.type)]


def _common(paths: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """Return what all paths begin with."""
    same = takewhile(lambda names: len(set(names)) == 1, zip(*paths, strict=False))
    return tuple(names[0] for names in same)


def _file(path: tuple[str, ...]) -> str:
    return "-".join(path).replace("_", "-") or _SHARED


def _file_of(operation: Operation) -> str:
    return _file(operation.method_path[:-1])


def _index(paths: Iterable[str]) -> str:
    return f"{HEADER}\n" + "".join(f'export * from "./{path.partition("/")[2]}.js";\n' for path in sorted(paths))


def _mentioned(operation: Operation) -> Iterator[str]:
    kinds: list[Type] = [field.type for field in params_of(operation)]
    if operation.answer.type is not None:
        kinds.append(operation.answer.type)
    for kind in kinds:
        yield from names_in(kind)


def _method(operation: Operation) -> str:
    return "hj." + ".".join(camel(name) for name in operation.method_path)


def _declaration(declared: EnumType | ObjectType) -> str:
    if isinstance(declared, EnumType):
        return union(declared.name, declared.description, declared.values)
    if not declared.fields:
        return f"{comment(declared.description)}export type {declared.name} = Record<string, never>;\n"
    return interface(declared.name, declared.description, declared.fields)
