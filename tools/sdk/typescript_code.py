"""Writes the resources of the TypeScript SDK, a file for each, and what all types and resources are reached by."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from tools.sdk.model import AnswerKind, Model, Operation, Repeat, Resource
from tools.sdk.reading import names_in
from tools.sdk.typescript_text import HEADER, WIDTH, camel, comment, imports, pascal, type_text
from tools.sdk.typescript_types import TypeFiles, params_name, params_of

_SOURCE: Final = "sdk/typescript/src"
OWNED: Final = tuple(f"{_SOURCE}/{directory}/**/*.ts" for directory in ("params", "resources", "types"))


def emit(model: Model) -> dict[str, str]:
    """Return the text of each file that is generated, by its path in the repository."""
    files = {f"{_SOURCE}/{name}": text for name, text in TypeFiles(model).files().items()}
    for resource in model.root.walk():
        files[f"{_SOURCE}/resources/{_file(resource)}.ts"] = _resource(resource)
    return files


def _file(resource: Resource) -> str:
    return "/".join(_slug(name) for name in resource.path) or "index"


def _class(resource: Resource) -> str:
    return "".join(pascal(name) for name in resource.path) or "Resources"


def _resource(resource: Resource) -> str:
    children = "".join(
        f"  readonly {camel(child.name)}: {_class(child)} = new {_class(child)}(this.transport);\n"
        for child in resource.children
    )
    methods = [_method(operation) for operation in resource.operations]
    body = "\n".join([*([children] if children else []), *methods])
    head = f"{comment(_said(resource))}export class {_class(resource)} extends Resource {{\n"
    return f"{HEADER}\n{_imports(resource, body)}\n{head}{body}}}\n"


def _said(resource: Resource) -> str:
    if not resource.path:
        return "Everything that a client can do."
    return f"`hj.{'.'.join(camel(name) for name in resource.path)}`"


def _imports(resource: Resource, body: str) -> str:
    up = "../" * max(len(resource.path), 1)
    answered = {name for one in resource.operations if one.answer.type for name in names_in(one.answer.type)}
    given = {params_name(one) for one in resource.operations if params_of(one)}
    written = [name for name in ("given", "path") if re.search(rf"\b{name}[(`]", body)]
    lines = [
        imports(["CallOptions"] if resource.operations else [], f"{up}options.js"),
        imports(["PagePromise"] if "PagePromise<" in body else [], f"{up}pages.js"),
        imports(given, f"{up}params/index.js"),
        imports(["Resource"], f"{up}resource.js", only_types=False),
        imports(["RowStream"] if "RowStream<" in body else [], f"{up}streams.js"),
        imports(written, f"{up}transport.js", only_types=False),
        imports(answered, f"{up}types/index.js"),
        imports(["FileContent"] if "content: FileContent" in body else [], f"{up}uploads.js"),
    ]
    below = f"./{_slug(resource.name)}/" if resource.path else "./"
    lines += [
        imports([_class(child)], f"{below}{_slug(child.name)}.js", only_types=False) for child in resource.children
    ]
    return "".join(lines)


def _slug(name: str) -> str:
    return name.replace("_", "-")


def _method(operation: Operation) -> str:
    said = f"{operation.summary.rstrip('.')}.\n\n{operation.description}"
    heads = "".join(_head(operation, *each) for each in _signatures(operation))
    return comment(said, "  ") + heads + _body(operation) + "  }\n"


def _head(operation: Operation, arguments: Sequence[str], returned: str, end: str) -> str:
    line = f"  {camel(operation.name)}({', '.join(arguments)}): {returned}{end}\n"
    if len(line) <= WIDTH + 1:
        return line
    lines = "".join(f"    {argument},\n" for argument in arguments)
    return f"  {camel(operation.name)}(\n{lines}  ): {returned}{end}\n"


def _signatures(operation: Operation) -> Iterator[tuple[list[str], str, str]]:
    """Yield arguments, what is returned, and the end of each line: a stream that may be CSV has two forms before it."""
    returned = _returned(operation)
    name = params_name(operation)
    params = params_of(operation)
    is_optional = not any(field.required for field in params)
    given = f"params: {name}{' = {}' if is_optional else ''}" if params else ""
    if operation.answer.kind is not AnswerKind.STREAM or len(operation.answer.contents) == 1:
        yield _arguments(operation, given), returned, " {"
        return
    yield _arguments(operation, f'params: {name} & {{ format: "csv" }}'), "RowStream<Record<string, string>>", ";"
    yield _arguments(operation, f"params{'?' if is_optional else ''}: {name}"), returned, ";"
    yield _arguments(operation, given), "RowStream<never>", " {"


def _arguments(operation: Operation, params: str) -> list[str]:
    before = [f"{camel(field.name)}: string" for field in operation.path_parameters]
    content = ["content: FileContent"] if operation.uploads else []
    return [*before, *content, *([params] if params else []), "options?: CallOptions"]


def _returned(operation: Operation) -> str:
    answer = operation.answer
    kind = "string" if answer.type is None else type_text(answer.type)
    match answer.kind:
        case AnswerKind.NOTHING:
            return "Promise<void>"
        case AnswerKind.JSON:
            return f"Promise<{kind}{' | null' if answer.may_be_empty else ''}>"
        case AnswerKind.PAGE:
            return f"PagePromise<{kind}>"
        case AnswerKind.STREAM:
            return f"RowStream<{kind}>"


def _body(operation: Operation) -> str:
    apart, parts = _split(operation)
    fields = [f'method: "{operation.method}"', f"path: {_path(operation)}", *parts]
    if operation.credential != "secretKey":
        fields.append(f'by: "{operation.credential}"' if operation.credential else "by: null")
    if operation.repeat is Repeat.WITH_KEY:
        fields.append("keyed: true")
    if operation.repeat is Repeat.ALWAYS and operation.method != "GET":
        fields.append("safe: true")
    call = f"    return this.transport.{operation.answer.kind.value}("
    line = f"{call}{{ {', '.join(fields)} }}, options);\n"
    if len(line) > WIDTH + 1:
        line = f"{call}\n      {{ {', '.join(fields)} }},\n      options,\n    );\n"
    if max(map(len, line.splitlines())) > WIDTH:
        line = (
            f"{call}\n      {{\n"
            + "".join(f"        {field},\n" for field in fields)
            + "      },\n      options,\n    );\n"
        )
    return apart + line


def _path(operation: Operation) -> str:
    if not operation.path_parameters:
        return f'"{operation.path}"'
    text = operation.path
    for field in operation.path_parameters:
        text = text.replace(f"{{{field.name}}}", f"${{{camel(field.name)}}}")
    return f"path`{text}`"


def _split(operation: Operation) -> tuple[str, list[str]]:
    """Return the statement that takes the parameters apart, "" if none need it, and the fields that they become."""
    body = "given(params)" if operation.body_is_optional else "params"
    if operation.uploads:
        rest, query = (", ...query", ["query"]) if operation.query else ("", [])
        return f"    const {{ content_type: contentType{rest} }} = params;\n", [*query, "content", "contentType"]
    if operation.body is None:
        return "", ["query: params"] if operation.query else []
    if not operation.query:
        return "", [f"body: {body}" if operation.body else "body: {}"]
    names = ", ".join(field.name for field in operation.query)
    body = "body: given(body)" if operation.body_is_optional else "body"
    return f"    const {{ {names}, ...body }} = params;\n", [f"query: {{ {names} }}", body]
