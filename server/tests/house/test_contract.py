"""The contract of the SDKs is what the server serves, and whatever is generated from it is up to date."""

import json
import shutil
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest

from hellojohn_server.app import PARTS
from hellojohn_server.cli.openapi import PUBLIC_URL, document_text
from hellojohn_server.http.application import declared_document
from hellojohn_server.kit.ids import IdFactory
from hellojohn_server.storage.database import Database
from tests.conftest import ManualClock
from tests.support import PUBLIC_URL as SERVED_AT
from tests.support import running_app
from tools.sdk.__main__ import stale_files
from tools.sdk.reading import ContractError, model_of, read_model

ROOT: Final = Path(__file__).resolve().parents[3]
SDK: Final = ROOT / "sdk"


def _operation(**parts: Any) -> dict[str, Any]:
    return {"operationId": "get_thing", "summary": "Get it", "responses": {"204": {}}, **parts}


def _document(**schemas: Any) -> dict[str, Any]:
    return {"paths": {"/v1/things": {"get": _operation()}}, "components": {"schemas": schemas}}


def test_the_exported_document_is_what_the_code_says_now() -> None:
    exported = (SDK / "openapi.json").read_text(encoding="utf-8")
    assert exported == document_text(PARTS.make_document(PUBLIC_URL)), "run `make sdk`"


async def test_a_server_answers_the_same_document(database: Database, clock: ManualClock, ids: IdFactory) -> None:
    async with running_app(database, clock, ids) as app:
        served = (await app.get("/openapi.json")).json()
    assert document_text(served) == document_text(declared_document(SERVED_AT))


def test_every_operation_stands_once_in_the_table_of_methods() -> None:
    document = json.loads((SDK / "openapi.json").read_text(encoding="utf-8"))
    methods = tomllib.loads((SDK / "methods.toml").read_text(encoding="utf-8"))["methods"]
    operations = [one["operationId"] for item in document["paths"].values() for one in item.values()]
    assert sorted(methods) == sorted(operations)
    assert len(set(methods.values())) == len(methods)
    assert sorted(one.id for one in read_model(SDK).operations()) == sorted(operations)


def test_nothing_generated_is_stale() -> None:
    assert [str(path.relative_to(ROOT)) for path, _ in stale_files(ROOT)] == []


def test_what_is_stale_is_found(tmp_path: Path) -> None:
    (tmp_path / "sdk").mkdir()
    for name in ("openapi.json", "methods.toml"):
        shutil.copy(SDK / name, tmp_path / "sdk")
    for path, text in stale_files(tmp_path):
        assert text is not None
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    types = tmp_path / "sdk/python/src/hellojohn/types"
    (types / "users.py").write_text("changed by hand", encoding="utf-8")
    (types / "former.py").write_text("of an operation that is gone", encoding="utf-8")
    wanted = (SDK / "python/src/hellojohn/types/users.py").read_text(encoding="utf-8")
    assert [*stale_files(tmp_path)] == [(types / "users.py", wanted), (types / "former.py", None)]


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        ({}, "no method for get_thing"),
        ({"get_thing": "things.get", "lose_thing": "things.lose"}, "do not exist: lose_thing"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(methods: dict[str, str], message: str) -> None:
    with pytest.raises(ContractError, match=message):
        model_of(_document(), methods)


def test_two_operations_have_two_methods() -> None:
    document = _document()
    document["paths"]["/v1/things"]["delete"] = _operation(operationId="delete_thing")
    with pytest.raises(ContractError, match=r"same method to several operations: things\.get"):
        model_of(document, {"get_thing": "things.get", "delete_thing": "things.get"})
    with pytest.raises(ContractError, match=r"both a method and a resource: things\.get"):
        model_of(document, {"get_thing": "things.get", "delete_thing": "things.get.delete"})


def test_a_schema_that_no_type_stands_for_is_refused() -> None:
    chosen = {"anyOf": [{"type": "string"}, {"type": "integer"}]}
    document = _document(ThingBody={"type": "object", "properties": {"of": chosen}})
    answer = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/ThingBody"}}}}
    document["paths"]["/v1/things"]["get"]["responses"] = {"200": answer}
    with pytest.raises(ContractError, match="a choice of several types"):
        model_of(document, {"get_thing": "things.get"})
