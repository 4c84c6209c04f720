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
        _table("Parameters", [_parameter(_resolve(each, document)) for each in operation.get("parameters", ())]),
        _body(operation, document),
        _example(method, path, operation, document),
        _table("Answers", [_answer(*each) for each in operation["responses"].items()]),
    ]
    return (
        f'<details id="{escape(operation["operationId"])}"><summary>'
        f'<span class="method {method}">{method.upper()}</span><code>{escape(path)}</code>'
        f'<span class="what">{escape(operation["summary"])}</span></summary>'
        f'<div class="inside">{"".join(parts)}</div></details>'
    )


def _table(title: str, rows: list[tuple[str, str]]) -> str:
    """Return a table of pairs, each already HTML; nothing when there are none."""
    if not rows:
        return ""
    lines = "".join(f"<tr><td>{name}</td><td>{about}</td></tr>" for name, about in rows)
    return f'<h3>{escape(title)}</h3><div class="scroll"><table>{lines}</table></div>'


def _parameter(parameter: dict[str, Any]) -> tuple[str, str]:
    return _field(parameter["name"], parameter["schema"] | _description_in(parameter), parameter.get("required", False))


def _description_in(described: dict[str, Any]) -> dict[str, Any]:
    return {"description": described["description"]} if "description" in described else {}


def _field(name: str, schema: dict[str, Any], required: bool) -> tuple[str, str]:  # noqa: FBT001 - a fact of the field
    must = ' <span class="must">required</span>' if required else ""
    facts = [_kind(schema), *(_facts(schema))]
    described = _prose(schema.get("description", ""))
    kind = f'<span class="kind">{escape(", ".join(facts))}</span>'
    return f"<code>{escape(name)}</code>{must}", f"{kind}<br>{described}" if described else kind


def _body(operation: dict[str, Any], document: dict[str, Any]) -> str:
    if "requestBody" not in operation:
        return ""
    schema = _resolve(operation["requestBody"]["content"]["application/json"]["schema"], document)
    required = schema.get("required", ())
    rows = [_field(name, each, name in required) for name, each in schema.get("properties", {}).items()]
    return _table("Body" if operation["requestBody"]["required"] else "Body (may be left out)", rows)


def _answer(status: str, response: dict[str, Any]) -> tuple[str, str]:
    return f"<code>{escape(status)}</code>", _prose(response["description"])


def _example(method: str, path: str, operation: dict[str, Any], document: dict[str, Any]) -> str:
    """Return the call as a line of curl, with every required parameter and field."""
    needed = [
        f"{each['name']}={_sample(each['schema'], document)}"
        for each in operation.get("parameters", ())
        if each.get("in") == "query" and each["required"]
    ]
    url = document["servers"][0]["url"] + path + (f"?{'&'.join(needed)}" if needed else "")
    lines = [f'curl -X {method.upper()} "{url}"' if method != "get" else f'curl "{url}"']
    if operation["security"]:
        lines.append('-H "Authorization: Bearer $HELLOJOHN_KEY"')
    if operation.get("requestBody", {}).get("required"):
        sample = _sample(operation["requestBody"]["content"]["application/json"]["schema"], document)
        lines.append('-H "Content-Type: application/json"')
        lines.append(f"-d '{json.dumps(sample)}'")
    command = " \\\n  ".join(lines)
    return f"<h3>Example</h3><pre><code>{escape(command, quote=False)}</code></pre>"


def _sample(schema: dict[str, Any], document: dict[str, Any]) -> Any:
    """Return a value of a schema: its first allowed one, or the simplest."""
    schema = _resolve(schema, document)
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return _sample(schema["anyOf"][0], document)
    match schema.get("type"):
        case "object":
            required = schema.get("required", ())
            return {name: _sample(schema["properties"][name], document) for name in required}
        case "array":
            return [_sample(schema.get("items", {}), document)]
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case _:
            return "..."


def _kind(schema: dict[str, Any]) -> str:
    """Return the type of a field in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(_kind(member) for member in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type") or "any")


def _facts(schema: dict[str, Any]) -> Iterable[str]:
    """Yield the limits and the default of a field."""
    for key, words in (
        ("minimum", "at least {}"),
        ("maximum", "at most {}"),
        ("minLength", "at least {} characters"),
        ("maxLength", "at most {} characters"),
        ("minItems", "at least {} items"),
        ("maxItems", "at most {} items"),
    ):
        if key in schema:
            yield words.format(schema[key])
    if schema.get("default") is not None:
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
    return tag.replace("-", " ")
