"""Writes `hellojohn.types`: what is answered as Structs, what callers make as TypedDicts, texts as Literals."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from tools.sdk.model import EnumType, Field, Model, ObjectType
from tools.sdk.python_text import Annotations, docstring, enum_lines, imports_of, quoted
from tools.sdk.reading import names_in

PACKAGE: Final = "hellojohn.types"
SHARED: Final = "shared"
_ROOTS: Final = {"admin": 2}
"""How many parts of the path of a resource name the module of its types; of others the first."""
_TIME_BOILERPLATE: Final = "RFC 3339"


def homes_of(model: Model) -> dict[str, str]:
    """Return the module of each type by its name: that of the resource which alone uses it, or the shared one."""
    uses: dict[str, set[str]] = {}
    objects = {one.name: one for one in model.objects}
    for operation in model.operations():
        parts = operation.method_path[: _ROOTS.get(operation.method_path[0], 1)]
        home = "_".join(parts if len(operation.method_path) > len(parts) else operation.method_path[:1])
        kinds = [field.type for field in (*operation.query, *(operation.body or ()))]
        if operation.answer.type is not None:
            kinds.append(operation.answer.type)
        waiting = [name for kind in kinds for name in names_in(kind)]
        while waiting:
            name = waiting.pop()
            if home in uses.setdefault(name, set()):
                continue
            uses[name].add(home)
            if name in objects:
                waiting.extend(inner for field in objects[name].fields for inner in names_in(field.type))
    return {name: min(homes) if len(homes) == 1 else SHARED for name, homes in uses.items()}


def modules_of(model: Model) -> dict[str, str]:
    """Return the module to import each name from, the inputs among them."""
    homes = homes_of(model)
    inputs = {f"{one.name}Input": homes[one.name] for one in model.objects if one.in_requests}
    return {name: f"{PACKAGE}.{home}" for name, home in (homes | inputs).items()}


def type_files(model: Model) -> dict[str, str]:
    """Return the text of each file of the package by its name."""
    homes, modules = homes_of(model), modules_of(model)
    files = {"__init__.py": _index(model, modules)}
    for home in sorted(set(homes.values())):
        enums = [one for one in model.enums if homes[one.name] == home]
        objects = [one for one in model.objects if homes[one.name] == home]
        files[f"{home}.py"] = _module(home, enums, objects, Annotations(model), modules)
    return files


def _index(model: Model, modules: Mapping[str, str]) -> str:
    names = sorted(_names_of(model))
    lines = ['"""The types of what the API answers and of what it is asked."""', ""]
    lines += imports_of(names, modules)
    lines += ["__all__ = [", *(f'    "{name}",' for name in names), "]", ""]
    return "\n".join(lines)


def _names_of(model: Model) -> Iterator[str]:
    yield from (enum.name for enum in model.enums)
    for one in model.objects:
        if one.in_answers:
            yield one.name
        if one.in_requests:
            yield f"{one.name}Input"


def _module(
    home: str,
    enums: Iterable[EnumType],
    objects: list[ObjectType],
    annotations: Annotations,
    modules: Mapping[str, str],
) -> str:
    body: list[str] = []
    names: set[str] = set()
    for enum in enums:
        body += ["", *enum_lines(enum), ""]
        names |= {"Literal", "TypeAlias"}
    for one in _in_order(objects):
        if one.in_answers:
            body += ["", *_struct(one, annotations, names), ""]
        if one.in_requests:
            body += ["", *_input(one, annotations, names), ""]
    has_structs = any(one.in_answers for one in objects)
    own = [*imports_of(names, modules, f"{PACKAGE}.{home}")]
    head = [f'"""{_title(home)}"""', "", *(["import msgspec", ""] if has_structs else [])]
    return "\n".join([*head, *own, *body]) + "\n"


def _title(home: str) -> str:
    if home == SHARED:
        return "The types that several resources use."
    return f"The types of `{home.replace('admin_', 'admin.')}`."


def _in_order(objects: list[ObjectType]) -> Iterator[ObjectType]:
    """Yield objects so that each comes after those that it mentions."""
    waiting = {one.name: one for one in objects}

    def place(one: ObjectType) -> Iterator[ObjectType]:
        if waiting.pop(one.name, None) is None:
            return
        for name in (name for field in one.fields for name in names_in(field.type)):
            if name in waiting:
                yield from place(waiting[name])
        yield one

    for one in objects:
        yield from place(one)


def _struct(one: ObjectType, annotations: Annotations, names: set[str]) -> Iterator[str]:
    yield f"class {one.name}(msgspec.Struct, frozen=True, kw_only=True):"
    yield from docstring(one.description or one.name, _notes(one.fields), indent=4)
    yield ""
    for field in one.fields:
        written = annotations.in_answer(field.type)
        names |= written.names
        if field.required:
            yield f"    {field.name}: {written.text}"
        elif isinstance(field.default, bool | int | str):
            yield f"    {field.name}: {written.text} = {quoted(field.default)}"
        elif field.default in ([], {}):
            yield f"    {field.name}: {written.text} = {field.default!r}"
        else:
            yield f"    {field.name}: {written.text.removesuffix(' | None')} | None = None"


def _input(one: ObjectType, annotations: Annotations, names: set[str]) -> Iterator[str]:
    names.add("TypedDict")
    yield f"class {one.name}Input(TypedDict, total=False):"
    yield from docstring(one.description or one.name, _notes(one.fields), indent=4)
    yield ""
    for field in one.fields:
        written = annotations.in_request(field.type)
        names |= written.names
        if field.required:
            names.add("Required")
        yield f"    {field.name}: {f'Required[{written.text}]' if field.required else written.text}"


def _notes(fields: Iterable[Field]) -> Iterator[str]:
    for field in fields:
        note = note_of(field)
        if note:
            yield note


def note_of(field: Field, name: str | None = None) -> str:
    """Return what a docstring says of a field; "" when its name and type say it all."""
    if not field.description or field.description.startswith(_TIME_BOILERPLATE):
        return ""
    text = field.description.replace("\\", "\\\\")
    default = field.default
    if isinstance(default, bool | int | str) and default != "" and default is not False:
        text = f"{text.rstrip('.')}; {quoted(default)} unless told otherwise"
    return f"`{name or field.name}`: {text[0].lower() + text[1:] if text[1:2].islower() else text}."
