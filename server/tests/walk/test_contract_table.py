"""The document, the tables written by hand, and (in the other walks) the server: three ways to say who may do what.

`house/scopes.toml` is compared with the declarations in house/test_scopes.py and here with what is served as
/openapi.json; the tables of the walks, which the server is tried against, are compared with it as well.
"""

import tomllib
from pathlib import Path
from typing import Any, Final

from tests.walk.account_acts import EVERY_ACT
from tests.walk.test_access_walk import ANY_SCOPE, NEEDS, PUBLIC, kind_of
from tests.walk.test_impersonation_walk import OPEN, SHUT
from tests.walk.world import World

TABLE: Final[dict[str, dict[str, Any]]] = tomllib.loads(
    Path(__file__).parents[1].joinpath("house/scopes.toml").read_text(encoding="utf-8")
)
SCHEMES: Final = {
    "accessToken": "access_token",
    "masterKey": "master_key",
    "publishableKey": "publishable_key",
    "secretKey": "secret_key",
}
GOES_WITH_WHAT_IT_GIVES: Final = {"create_api_key", "rotate_api_key"}
"""Operations that need each scope which they give away, beside those of the table."""


async def operations_of(world: World) -> dict[str, dict[str, Any]]:
    """Return every operation that is served as /openapi.json, by method and path."""
    paths = (await world.client.get("/openapi.json")).json()["paths"]
    return {f"{method.upper()} {path}": one for path, item in paths.items() for method, one in item.items()}


def said_in(operation: dict[str, Any]) -> dict[str, Any]:
    """Return what the document says that an operation needs, in the words of the table."""
    [*schemes] = [{SCHEMES[name]: scopes for name, scopes in one.items()} for one in operation["security"]]
    needs: dict[str, Any] = {"credentials": sorted(name for one in schemes for name in one)}
    scopes = [scope for one in schemes for given in one.values() for scope in given]
    assert scopes == [scope for scope in (operation.get("x-required-scope"),) if scope is not None]
    if scopes:
        needs["scope"] = scopes[0]
    if operation.get("x-conditional-scopes"):
        needs["sometimes"] = sorted(operation["x-conditional-scopes"])
    return needs


async def test_the_document_says_what_the_table_says(world: World) -> None:
    said = {name: said_in(operation) for name, operation in (await operations_of(world)).items()}
    kept = ("credentials", "scope", "sometimes")
    assert said == {name: {part: row[part] for part in kept if part in row} for name, row in TABLE.items()}


async def test_every_operation_of_the_document_has_its_rows_in_the_walks(world: World) -> None:
    operations = await operations_of(world)
    names = {operation["operationId"]: place for place, operation in operations.items()}
    assert names.keys() == EVERY_ACT.keys()
    for name, place in names.items():
        credentials = TABLE[place]["credentials"]
        assert credentials == ([] if name in PUBLIC else [kind_of(name).replace(" ", "_")]), name
        assert (name in NEEDS) == ("scope" in TABLE[place]), name
        assert (name in ANY_SCOPE) == (credentials == ["secret_key"] and "scope" not in TABLE[place]), name
        assert (name in OPEN) == ("impersonation" in TABLE[place]), name


async def test_what_the_walks_need_is_what_the_table_says(world: World) -> None:
    for place, operation in (await operations_of(world)).items():
        name, row = operation["operationId"], TABLE[place]
        if name in NEEDS:
            further = NEEDS[name] - {row["scope"]}
            assert row["scope"] in NEEDS[name], name
            assert further <= set(row.get("sometimes", ())) or name in GOES_WITH_WHAT_IT_GIVES, name


async def test_the_document_says_what_an_impersonation_may_not(world: World) -> None:
    for place, operation in (await operations_of(world)).items():
        name = operation["operationId"]
        if name in OPEN:
            is_get = place.startswith("GET ")
            always = {"allowed": False, "always": True}[TABLE[place]["impersonation"]]
            assert [status < 300 for status in OPEN[name]] == [True, is_get or always], name
        refused = operation["responses"].get("403", {"content": {"application/json": {"examples": {}}}})
        codes = refused["content"]["application/json"]["examples"]
        may_not = name not in PUBLIC and 403 in OPEN.get(name, SHUT)
        assert ("impersonation_forbidden" in codes) == may_not, name
