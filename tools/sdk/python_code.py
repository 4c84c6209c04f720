"""Writes the resources of the Python SDK: the tree of methods, once for threads and once for an event loop."""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from tools.sdk.model import AnswerKind, Field, Literals, Model, Operation, Repeat, Resource
from tools.sdk.python_text import (
    Annotations,
    Written,
    class_name,
    docstring,
    formatted,
    imports_of,
    python_name,
    quoted,
)
from tools.sdk.python_types import modules_of, note_of, type_files

_ROOT: Final = "sdk/python/src/hellojohn"
OWNED: Final = (f"{_ROOT}/types/*.py", f"{_ROOT}/resources/*.py", f"{_ROOT}/async_resources/*.py")
"""Where there is nothing but what is generated."""
_OPTIONS: Final = {
    (False, False, False): "Options",
    (True, False, False): "ActingOptions",
    (False, True, False): "WriteOptions",
    (True, True, False): "ActingWriteOptions",
    (False, True, True): "ChangeOptions",
    (True, True, True): "ActingChangeOptions",
}
"""By whether an operation takes X-Acting-Admin, Idempotency-Key and If-Match."""
_CREDENTIALS: Final = {
    None: "NONE",
    "accessToken": "ACCESS_TOKEN",
    "masterKey": "MASTER_KEY",
    "publishableKey": "PUBLISHABLE_KEY",
    "secretKey": "SECRET_KEY",
}
_CSV: Final = "text/csv"


class _Twin(msgspec.Struct, frozen=True):
    """One of the two forms that every resource has."""

    package: str
    prefix: str
    is_async: bool

    @property
    def page(self) -> str:
        return "AsyncPages" if self.is_async else "Page"

    @property
    def stream(self) -> str:
        return f"{self.prefix}Stream"

    @property
    def modules(self) -> dict[str, str]:
        """Where the names of the SDK itself come from."""
        options = dict.fromkeys(_OPTIONS.values(), "hellojohn.options")
        return options | {
            "Call": "hellojohn._calls",
            "Credential": "hellojohn._settings",
            "Repeat": "hellojohn._calls",
            "segment": "hellojohn._calls",
            f"{self.prefix}Resource": "hellojohn._resource",
            f"{self.prefix}Transport": "hellojohn._async_transport" if self.is_async else "hellojohn._transport",
            self.page: "hellojohn.pages",
            self.stream: "hellojohn.streams",
            f"{self.prefix}File": "hellojohn.uploads",
            "ContentType": "hellojohn.uploads",
            "content_type_of": "hellojohn.uploads",
        }


_TWINS: Final = (_Twin("resources", "", is_async=False), _Twin("async_resources", "Async", is_async=True))


def emit(model: Model) -> dict[str, str]:
    """Return the text of each generated file of the Python SDK, by its path."""
    files = {f"{_ROOT}/types/{name}": text for name, text in type_files(model).items()}
    for twin in _TWINS:
        for resource in model.root.walk():
            name = "_".join(resource.path) or "__init__"
            files[f"{_ROOT}/{twin.package}/{name}.py"] = _Writer(model, twin).module(resource)
    return formatted(files)


class _Writer:
    """Writes the resources of one twin."""

    def __init__(self, model: Model, twin: _Twin) -> None:
        self._annotations = Annotations(model)
        self._twin = twin
        self._own: Mapping[str, str] = modules_of(model) | twin.modules
        self._names: set[str] = set()

    def module(self, resource: Resource) -> str:
        """Return the file of one resource."""
        self._names = set()
        body = [*self._class(resource)]
        children = {self._class_name(child): self._module_name(child) for child in resource.children}
        own = {**self._own, **children}
        title = f"`{'.'.join(resource.path)}`" if resource.path else "The tree of the API"
        head = [f'"""{title}{", for an event loop" if self._twin.is_async else ""}."""', ""]
        head += ["from __future__ import annotations", ""]  # hundreds of unions that only type checkers read
        return "\n".join([*head, *imports_of(self._names | children.keys(), own), "", *body]) + "\n"

    def _class_name(self, resource: Resource) -> str:
        return f"{self._twin.prefix}{class_name(resource.path)}"

    def _module_name(self, resource: Resource) -> str:
        return f"hellojohn.{self._twin.package}.{'_'.join(resource.path)}"

    def _class(self, resource: Resource) -> Iterator[str]:
        base, transport = f"{self._twin.prefix}Resource", f"{self._twin.prefix}Transport"
        self._names.add(base)
        yield f"class {self._class_name(resource)}({base}):"
        yield from docstring(_about(resource), indent=4)
        if resource.children:
            self._names.add(transport)
            yield ""
            yield f"    def __init__(self, transport: {transport}) -> None:"
            yield "        super().__init__(transport)"
            for child in resource.children:
                yield f"        self.{child.name} = {self._class_name(child)}(transport)"
        for operation in resource.operations:
            yield ""
            yield from self._method(operation)

    def _method(self, operation: Operation) -> Iterator[str]:
        answer = operation.answer
        is_lazy = answer.kind in {AnswerKind.PAGE, AnswerKind.STREAM}
        define = "    async def" if self._twin.is_async and not is_lazy else "    def"
        parameters = [*self._parameters(operation)]
        if answer.kind is AnswerKind.STREAM and len(answer.contents) > 1:
            yield from self._overloads(operation, define, parameters)
        yield f"{define} {operation.name}({', '.join(parameters)}) -> {self._returned(operation)}:"
        yield from docstring(f"{operation.summary}\n{operation.description}", self._notes(operation), indent=8)
        yield from self._body(operation, "await " if self._twin.is_async and not is_lazy else "")

    def _overloads(self, operation: Operation, define: str, parameters: list[str]) -> Iterator[str]:
        """Yield a signature for each thing that the answer can be written in."""
        self._names |= {"overload", "Literal", "UnsetType", "UNSET"}
        line, rows = self._lines_of(operation)
        without = [each for each in parameters if not each.startswith("format:")]
        for format_parameter, returned in (
            ('format: Literal["ndjson"] | UnsetType = UNSET', line),
            ('format: Literal["csv"]', rows),
        ):
            wanted = [*without]
            wanted.insert(wanted.index("*") + 1, format_parameter)
            yield "    @overload"
            yield f"{define} {operation.name}({', '.join(wanted)}) -> {returned}: ..."

    def _lines_of(self, operation: Operation) -> tuple[str, str]:
        self._names.add(self._twin.stream)
        line = self._answered(operation)
        return f"{self._twin.stream}[{line}]", f"{self._twin.stream}[dict[str, str]]"

    def _parameters(self, operation: Operation) -> Iterator[str]:
        yield "self"
        for field in operation.path_parameters:
            yield f"{python_name(field.name)}: str"
        if operation.uploads:
            file = f"{self._twin.prefix}File"
            self._names.add(file)
            yield f"file: {file}"
        fields = [*operation.query, *(operation.body or ())]
        if fields or operation.uploads:
            yield "*"
        if operation.uploads:
            self._names |= {"ContentType", "UnsetType", "UNSET"}
            yield "content_type: ContentType | UnsetType = UNSET"
        for field in sorted(fields, key=lambda field: not field.required):
            yield self._parameter(field)
        options = _OPTIONS[operation.takes_acting_admin, operation.takes_idempotency_key, operation.takes_if_match]
        self._names |= {"Unpack", options}
        yield f"**options: Unpack[{options}]"

    def _parameter(self, field: Field) -> str:
        written = self._annotations.in_request(field.type)
        self._names |= written.names
        if field.required:
            return f"{python_name(field.name)}: {written.text}"
        self._names |= {"UnsetType", "UNSET"}
        null = " | None" if field.is_nullable else ""
        return f"{python_name(field.name)}: {written.text.removesuffix(' | None')} | UnsetType{null} = UNSET"

    def _answered(self, operation: Operation) -> str:
        if operation.answer.type is None or isinstance(operation.answer.type, Literals):
            return "None"
        written: Written = self._annotations.in_answer(operation.answer.type)
        self._names |= written.names
        return written.text

    def _returned(self, operation: Operation) -> str:
        answer = operation.answer
        match answer.kind:
            case AnswerKind.NOTHING:
                return "None"
            case AnswerKind.JSON:
                return self._answered(operation) + (" | None" if answer.may_be_empty else "")
            case AnswerKind.PAGE:
                self._names.add(self._twin.page)
                return f"{self._twin.page}[{self._answered(operation)}]"
            case AnswerKind.STREAM:
                kinds = self._lines_of(operation)
                return " | ".join(kinds) if len(answer.contents) > 1 else kinds[answer.contents == (_CSV,)]

    def _notes(self, operation: Operation) -> Iterator[str]:
        for field in (*operation.query, *(operation.body or ())):
            note = note_of(field, python_name(field.name))
            if note:
                yield note

    def _body(self, operation: Operation, wait: str) -> Iterator[str]:
        self._names.add("Call")
        answer = operation.answer
        send = f"{wait}self._transport"
        yield f"        call = Call({', '.join(self._call(operation))})"
        match answer.kind:
            case AnswerKind.NOTHING:
                yield f"        {send}.send(call)"
            case AnswerKind.JSON if operation.uploads:
                self._names.add("content_type_of")
                arguments = f"call, file, content_type_of(file, content_type), {self._answered(operation)}"
                yield f"        return {send}.upload({arguments})"
            case AnswerKind.JSON:
                fetch = "fetch_or_none" if answer.may_be_empty else "fetch"
                yield f"        return {send}.{fetch}(call, {self._answered(operation)})"
            case AnswerKind.PAGE:
                yield f"        return self._transport.page(call, {self._answered(operation)})"
            case AnswerKind.STREAM if len(answer.contents) > 1:
                lines = f"self._transport.stream(call, {self._answered(operation)})"
                yield f'        return self._transport.rows(call) if format == "csv" else {lines}'
            case AnswerKind.STREAM if answer.contents == (_CSV,):
                yield "        return self._transport.rows(call)"
            case AnswerKind.STREAM:
                yield f"        return self._transport.stream(call, {self._answered(operation)})"

    def _call(self, operation: Operation) -> Iterator[str]:
        yield f"method={quoted(operation.method)}"
        yield f"path={self._path(operation)}"
        if operation.query:
            yield f"query={_mapping(operation.query)}"
        if operation.body is not None:
            yield f"body={_mapping(operation.body)}"
        yield "options=options"
        if operation.repeat is not Repeat.ALWAYS:
            self._names.add("Repeat")
            yield f"repeat=Repeat.{operation.repeat.name}"
        if operation.credential != "secretKey":
            self._names.add("Credential")
            yield f"credential=Credential.{_CREDENTIALS[operation.credential]}"
        if operation.takes_if_match:
            yield "is_versioned=True"

    def _path(self, operation: Operation) -> str:
        if not operation.path_parameters:
            return quoted(operation.path)
        self._names.add("segment")
        path = operation.path
        for field in operation.path_parameters:
            path = path.replace(f"{{{field.name}}}", f"{{segment({python_name(field.name)})}}")
        return f'f"{path}"'


def _mapping(fields: tuple[Field, ...]) -> str:
    return "{" + ", ".join(f"{quoted(field.name)}: {python_name(field.name)}" for field in fields) + "}"


def _about(resource: Resource) -> str:
    if not resource.path:
        return "Every resource of the API."
    return f"The methods of `{'.'.join(resource.path)}`."
