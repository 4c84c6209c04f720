"""What is written for TypeScript, from a contract that has one of every shape."""

from typing import Any, Final

from tools.sdk.reading import model_of
from tools.sdk.typescript_code import emit
from tools.sdk.typescript_text import comment, imports, union

SOURCE: Final = "sdk/typescript/src"
TEXT: Final = {"type": "string"}
NULLABLE: Final = {"anyOf": [TEXT, {"type": "null"}]}
KEYED: Final = {"$ref": "#/components/parameters/IdempotencyKey"}
SECRET: Final = [{"secretKey": []}]


def reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def parameter(name: str, where: str, schema: dict[str, Any], *, required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": where, "required": required, "schema": schema}


def answers(schema: Any, kind: str = "application/json", status: str = "200") -> dict[str, Any]:
    return {status: {"content": {kind: {"schema": schema}}}}


def sent(name: str, *, required: bool) -> dict[str, Any]:
    return {"required": required, "content": {"application/json": {"schema": reference(name)}}}


SCHEMAS: Final = {
    "Colour": {"enum": ["blue", "red"], "description": "What it looks like."},
    "ThingBody": {
        "description": "A thing.",
        "properties": {
            "id": {**TEXT, "description": "Its id"},
            "colours": {"type": "array", "items": NULLABLE},
            "change": {"type": "array", "prefixItems": [NULLABLE, reference("Colour")]},
            "notes": {"type": "object", "additionalProperties": {"type": "integer"}},
            "made_at": {"type": "string", "format": "date-time"},
        },
        "required": ["id", "colours"],
    },
    "ThingListBody": {
        "properties": {"data": {"type": "array", "items": reference("ThingBody")}, "pagination": {"type": "object"}},
    },
    "ReasonBody": {"properties": {"reason": NULLABLE}},
}
OF_ONE: Final = parameter("thing_id", "path", TEXT, required=True)
STREAM: Final = {
    "200": {
        "content": {
            "application/x-ndjson": {"schema": TEXT, "x-line-schema": reference("ThingBody")},
            "text/csv": {"schema": TEXT},
        }
    }
}
PATHS: Final = {
    "/v1/things": {
        "get": {
            "operationId": "list_things",
            "summary": "List things",
            "security": SECRET,
            "parameters": [parameter("colour", "query", reference("Colour"))],
            "responses": answers(reference("ThingListBody")),
        },
        "post": {
            "operationId": "send_things",
            "summary": "Send things",
            "security": SECRET,
            "requestBody": {"required": True, "content": {"text/csv": {"schema": TEXT}, "application/json": {}}},
            "responses": answers(reference("ThingBody"), status="201"),
        },
    },
    "/v1/things/export": {
        "get": {
            "operationId": "export_things",
            "summary": "Export things",
            "security": SECRET,
            "parameters": [parameter("format", "query", TEXT, required=True)],
            "responses": STREAM,
        }
    },
    "/v1/things/{thing_id}": {
        "delete": {
            "operationId": "delete_thing",
            "summary": "Lose a thing",
            "description": "For good.",
            "security": [{"masterKey": []}],
            "parameters": [OF_ONE, parameter("permanent", "query", {"type": "boolean"}), KEYED],
            "requestBody": sent("ReasonBody", required=False),
            "responses": {**answers(reference("ThingBody")), "204": {}},
        }
    },
}
METHODS: Final = {
    "delete_thing": "things.delete",
    "export_things": "things.export_all",
    "list_things": "things.list",
    "send_things": "things.send",
}
FILES: Final = emit(model_of({"paths": PATHS, "components": {"schemas": SCHEMAS}}, METHODS))


def test_types_stand_where_they_are_needed() -> None:
    assert FILES[f"{SOURCE}/types/things.ts"].partition("\n\n")[2] == (
        "/** What it looks like. */\n"
        'export type Colour = "blue" | "red";\n'
        "\n"
        "/** A thing. */\n"
        "export interface Thing {\n"
        "  /** Its id */\n"
        "  id: string;\n"
        "  colours: (string | null)[];\n"
        "  change?: [string | null, Colour];\n"
        "  notes?: Record<string, number>;\n"
        "  made_at?: string;\n"
        "}\n"
    )
    assert FILES[f"{SOURCE}/types/index.ts"].endswith('\n\nexport * from "./things.js";\n')
    assert "export interface ListThingsParams {\n  colour?: Colour;\n}\n" in FILES[f"{SOURCE}/params/things.ts"]


def test_a_method_takes_ids_first_and_takes_apart_what_goes_where() -> None:
    text = FILES[f"{SOURCE}/resources/things.ts"]
    assert (
        "  /**\n   * Lose a thing.\n   *\n   * For good.\n   */\n"
        "  delete(thingId: string, params: DeleteThingParams = {}, options?: CallOptions): Promise<Thing | null> {\n"
        "    const { permanent, ...body } = params;\n"
        "    return this.transport.json(\n"
        "      {\n"
        '        method: "DELETE",\n'
        "        path: path`/v1/things/${thingId}`,\n"
        "        query: { permanent },\n"
        "        body: given(body),\n"
        '        by: "masterKey",\n'
        "        keyed: true,\n"
        "      },\n"
        "      options,\n"
        "    );\n"
        "  }\n"
    ) in text


def test_lists_streams_and_files_are_returned_and_taken_as_such() -> None:
    text = FILES[f"{SOURCE}/resources/things.ts"]
    for line in (
        "  list(params: ListThingsParams = {}, options?: CallOptions): PagePromise<Thing> {\n",
        "  send(content: FileContent, params: SendThingsParams = {}, options?: CallOptions): Promise<Thing> {\n",
        "    const { content_type: contentType } = params;\n",
        '  exportAll(params: ExportThingsParams & { format: "csv" }, options?: CallOptions): RowStream<Record<string, ',
        "  exportAll(params: ExportThingsParams, options?: CallOptions): RowStream<Thing>;\n",
        "  exportAll(params: ExportThingsParams, options?: CallOptions): RowStream<never> {\n",
    ):
        assert line in text, line
    assert "  readonly things: Things = new Things(this.transport);\n" in FILES[f"{SOURCE}/resources/index.ts"]


def test_long_lines_are_broken_and_long_comments_wrapped() -> None:
    words = [f"word_{number}" for number in range(30)]
    assert union("Word", "", words).splitlines()[1] == '  | "word_0"'
    assert imports(words, "./words.js").splitlines()[1] == "  word_0,"
    lines = comment(" ".join(words), "  ").splitlines()
    assert (lines[0], lines[-1]) == ("  /**", "   */")
    assert max(map(len, lines)) <= 120
    assert comment("") == ""
