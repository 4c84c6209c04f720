"""The page at /docs: the OpenAPI document for people. One file, no script, nothing fetched from anywhere."""

import base64
import hashlib
import json
import re
from collections.abc import Iterable
from html import escape
from importlib import resources
from typing import Any, Final

_STYLE: Final = resources.files("hellojohn_server.http").joinpath("docs_page.css").read_text(encoding="utf-8")
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_MANY: Final = 12
"""Longer lists of allowed values are not written out."""

_CODE: Final = re.compile(r"`([^`]+)`")

PAGE_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
).encode()
"""The Content-Security-Policy of the page: its own style, and nothing else."""

_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} API</title>
<style>{style}</style>
</head>
<body>
<div class="page">
<nav aria-label="Operations">{navigation}</nav>
<main>
<h1>{title} API <small class="kind">{version}</small></h1>
<p class="lead">{description}</p>
<p>Every call goes to <code>{server}</code> and says who calls: <code>Authorization: Bearer &lt;key&gt;</code>.
Bodies are JSON. The same document for machines: <a href="/openapi.json">openapi.json</a> (OpenAPI 3.1).</p>
{sections}
</main>
</div>
</body>
</html>
"""


def render_page(document: dict[str, Any]) -> str:
    """Return the page for an OpenAPI document."""
    groups: dict[str, list[tuple[str, str, dict[str, Any]]]] = {tag["name"]: [] for tag in document["tags"]}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            groups[operation["tags"][0]].append((method, path, operation))
    info = document["info"]
    return _PAGE.format(
        title=escape(info["title"]),
        version=escape(info["version"]),
        description=_prose(info["description"]),
        server=escape(document["servers"][0]["url"]),
        style=_STYLE,
        navigation="".join(_navigation(tag, entries) for tag, entries in groups.items()),
        sections="".join(_section(tag, entries, document) for tag, entries in groups.items()),
    )


def _navigation(tag: str, entries: Iterable[tuple[str, str, dict[str, Any]]]) -> str:
    links = "".join(
        f'<a href="#{escape(operation["operationId"])}">{escape(operation["summary"])}</a>'
        for _, _, operation in entries
    )
    return f"<strong>{escape(_title(tag))}</strong>{links}"


def _section(tag: str, entries: Iterable[tuple[str, str, dict[str, Any]]], document: dict[str, Any]) -> str:
    operations = "".join(_operation(method, path, operation, document) for method, path, operation in entries)
    return f"<section><h2>{escape(_title(tag))}</h2>{operations}</section>"


def _operation(method: str, path: str, operation: dict[str, Any], document: dict[str, Any]) -> str:
    parts = [
        *(f"<p>{_prose(text)}</p>" for text in operation.get("description", "").split("\n\n") if text),
        _table("Parameters", [_parameter(each, document) for each in operation.get("parameters", ())]),
        _body(operation, document),
        _example(method, path, operation, document),
        _result(operation, document),
        _table("All answers", [_answer(*each) for each in operation["responses"].items()]),
    ]
    return (
        "<details><summary>"
        f'<span class="method {method}">{method.upper()}</span><code>{escape(path)}</code>'
        f'<span class="what">{escape(operation["summary"])}</span></summary>'
        f'<div class="inside" id="{escape(operation["operationId"])}">{"".join(parts)}</div></details>'
    )


def _table(title: str, rows: list[tuple[str, str]]) -> str:
    """Return a table of pairs, each already HTML; nothing when there are none."""
    if not rows:
        return ""
    lines = "".join(f"<tr><td>{name}</td><td>{about}</td></tr>" for name, about in rows)
    return f'<h3>{escape(title)}</h3><div class="scroll"><table>{lines}</table></div>'


def _parameter(parameter: dict[str, Any], document: dict[str, Any]) -> tuple[str, str]:
    parameter = _resolve(parameter, document)
    described = {key: value for key, value in parameter.items() if key == "description"}
    schema = parameter["schema"] | described
    return _row(parameter["name"], schema, document, is_required=parameter.get("required", False))


def _row(name: str, schema: dict[str, Any], document: dict[str, Any], *, is_required: bool) -> tuple[str, str]:
    must = ' <span class="must">required</span>' if is_required else ""
    shown = _one_of(schema)
    kind = f'<span class="kind">{escape(", ".join([_kind(schema, document), *_facts(shown)]))}</span>'
    described = _prose(shown.get("description", ""))
    return f"<code>{escape(name)}</code>{must}", f"{kind}<br>{described}" if described else kind


def _fields(schema: dict[str, Any], document: dict[str, Any], above: str = "") -> Iterable[tuple[str, str]]:
    """Yield a row for each field of an object, and of the objects and lists of objects in it, one level down."""
    schema = _resolve(schema, document)
    for name, field in schema.get("properties", {}).items():
        path = f"{above}.{name}" if above else name
        is_required = not above and name in schema.get("required", ())
        yield _row(path, field, document, is_required=is_required)
        inner = _one_of(field)
        if inner.get("type") == "array":
            inner, path = inner.get("items", {}), f"{path}[]"
        if not above:
            yield from _fields(inner, document, path)


def _one_of(schema: dict[str, Any]) -> dict[str, Any]:
    """Return what a schema takes besides null, with what stands around it; any other schema as it is."""
    members = [member for member in schema.get("anyOf", ()) if member.get("type") != "null"]
    if len(members) != 1:
        return schema
    return {**members[0], **{key: value for key, value in schema.items() if key != "anyOf"}}


def _body(operation: dict[str, Any], document: dict[str, Any]) -> str:
    if "requestBody" not in operation:
        return ""
    body = operation["requestBody"]
    if _is_upload(body):
        return f"<h3>Body</h3><p>A file, in one of {escape(', '.join(body['content']))}.</p>"
    rows = list(_fields(body["content"]["application/json"]["schema"], document))
    return _table("Body" if body["required"] else "Body (may be left out)", rows)


def _is_upload(body: dict[str, Any]) -> bool:
    """Say whether a body is a file: what is in it no schema says."""
    return not all(content["schema"].get("$ref") for content in body["content"].values())


def _result(operation: dict[str, Any], document: dict[str, Any]) -> str:
    """Return a table of what a successful answer holds; nothing when it holds nothing."""
    status, response = next(iter(operation["responses"].items()))
    written = response.get("content", {})
    if "application/x-ndjson" in written:
        caption, schema = f"Answer {status}, each line", written["application/x-ndjson"]["x-line-schema"]
    elif "application/json" in written:
        caption, schema = f"Answer {status}", written["application/json"]["schema"]
    else:
        return ""
    fields = {**_resolve(schema, document), "required": ()}
    return _table(caption, list(_fields(fields, document)))


def _answer(status: str, response: dict[str, Any]) -> tuple[str, str]:
    return f"<code>{escape(status)}</code>", _prose(response["description"])


def _example(method: str, path: str, operation: dict[str, Any], document: dict[str, Any]) -> str:
    """Return the call as a line of curl, with every required parameter and field; of a PATCH, its first field."""
    needed = [
        f"{each['name']}={_sample(each['schema'], document)}"
        for each in operation.get("parameters", ())
        if each.get("in") == "query" and each["required"]
    ]
    url = document["servers"][0]["url"] + path + (f"?{'&'.join(needed)}" if needed else "")
    lines = [f'curl -X {method.upper()} "{url}"' if method != "get" else f'curl "{url}"']
    if operation["security"]:
        lines.append('-H "Authorization: Bearer $HELLOJOHN_KEY"')
    if "requestBody" in operation and _is_upload(operation["requestBody"]):
        lines.append(f'-H "Content-Type: {next(iter(operation["requestBody"]["content"]))}"')
        lines.append("--data-binary @file")
    elif "requestBody" in operation and (operation["requestBody"]["required"] or method == "patch"):
        schema = _resolve(operation["requestBody"]["content"]["application/json"]["schema"], document)
        required = schema.get("required") or list(schema["properties"])[:1]
        sample = {name: _sample(schema["properties"][name], document) for name in required}
        lines.append('-H "Content-Type: application/json"')
        lines.append(f"-d '{json.dumps(sample)}'")
    command = " \\\n  ".join(lines)
    return f"<h3>Example</h3><pre><code>{escape(command, quote=False)}</code></pre>"


def _sample(schema: dict[str, Any], document: dict[str, Any]) -> Any:
    """Return a value of a schema: its first allowed one, or the simplest."""
    schema = _one_of(_resolve(schema, document))
    if "$ref" in schema:
        return _sample(schema, document)
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            return {name: _sample(schema["properties"][name], document) for name in schema.get("required", ())}
        case "array":
            return [_sample(schema.get("items", {}), document)]
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case _:
            return {"email": "alice@example.com", "date-time": "2024-01-20T11:00:00Z"}.get(
                schema.get("format", ""), "..."
            )


def _kind(schema: dict[str, Any], document: dict[str, Any]) -> str:
    """Return the type of a field in a few words."""
    if "anyOf" in schema:
        return " or ".join(_kind(member, document) for member in schema["anyOf"])
    schema = _resolve(schema, document)
    if "enum" in schema:
        values = [str(value) for value in schema["enum"]]
        return " | ".join(values) if len(values) <= _MANY else f"one of {len(values)} names"
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}), document)}"
    return str(schema.get("format") or schema.get("type") or "any")


def _facts(schema: dict[str, Any]) -> Iterable[str]:
    """Yield the limits and the default of a field."""
    for least, most, what in (
        ("minimum", "maximum", ""),
        ("minLength", "maxLength", " characters"),
        ("minItems", "maxItems", " items"),
    ):
        if schema.get(least) is not None and schema.get(most) is not None:
            yield f"{schema[least]} to {schema[most]}{what}"
        elif schema.get(most) is not None:
            yield f"at most {schema[most]}{what}"
        elif schema.get(least) is not None:
            yield f"at least {schema[least]}{what}"
    if isinstance(schema.get("default"), str | int | float):
        yield f"default {json.dumps(schema['default'])}"


def _resolve(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    """Return what a reference within the document points to, with what stands beside the reference."""
    if "$ref" not in schema:
        return schema
    target: Any = document
    for part in str(schema["$ref"]).removeprefix("#/").split("/"):
        target = target[part]
    return {**target, **{key: value for key, value in schema.items() if key != "$ref"}}


def _prose(text: str) -> str:
    """Return text as HTML, with `code` as code."""
    return _CODE.sub(r"<code>\1</code>", escape(text, quote=False))


def _title(tag: str) -> str:
    return tag.replace("-", " ").capitalize().replace("Api ", "API ")
