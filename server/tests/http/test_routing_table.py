"""The table of paths: which endpoint a method and a path lead to, and what stands for the names in the path."""

from typing import Any

import pytest

from hellojohn_server.http.answers import Outgoing
from hellojohn_server.http.call import Call
from hellojohn_server.http.routing_table import Endpoint, RoutingTable
from hellojohn_server.kit.errors import MethodNotAllowed, NotFound


async def _serve(_call: Call, _receive: Any) -> Outgoing:
    return Outgoing(200, [], b"")


def table_of(*lines: str) -> RoutingTable:
    """Return a table with an endpoint for each line: its method and its path."""
    return RoutingTable(Endpoint(*line.split(), _serve) for line in lines)


TABLE = table_of(
    "GET /v1/users",
    "POST /v1/users",
    "POST /v1/users/search",
    "GET /v1/users/{user_id}",
    "DELETE /v1/users/{id}",
    "POST /v1/users/{user_id}/disable",
    "GET /v1/users/{user_id}/sessions/{session_id}",
    "GET /v1/{kind}/all",
    "GET /v1/{kind}/all/{name}",
)


@pytest.mark.parametrize(
    ("method", "path", "template", "values"),
    [
        ("GET", "/v1/users", "/v1/users", {}),
        ("POST", "/v1/users", "/v1/users", {}),
        ("POST", "/v1/users/search", "/v1/users/search", {}),
        ("GET", "/v1/users/usr_1", "/v1/users/{user_id}", {"user_id": "usr_1"}),
        ("DELETE", "/v1/users/usr_1", "/v1/users/{id}", {"id": "usr_1"}),
        ("POST", "/v1/users/search/disable", "/v1/users/{user_id}/disable", {"user_id": "search"}),
        (
            "GET",
            "/v1/users/a/sessions/b",
            "/v1/users/{user_id}/sessions/{session_id}",
            {"user_id": "a", "session_id": "b"},
        ),
        ("GET", "/v1/users/{user_id}", "/v1/users/{user_id}", {"user_id": "{user_id}"}),
        ("GET", "/v1/users/all", "/v1/users/{user_id}", {"user_id": "all"}),
        ("GET", "/v1/things/all", "/v1/{kind}/all", {"kind": "things"}),
        ("GET", "/v1/things/all/\x00 é", "/v1/{kind}/all/{name}", {"kind": "things", "name": "\x00 é"}),
    ],
)
def test_a_path_leads_to_its_endpoint(method: str, path: str, template: str, values: dict[str, str]) -> None:
    endpoint, found = TABLE.find(method, path)
    assert (endpoint.method, endpoint.path, found) == (method, template, values)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "*",
        "/",
        "/v1",
        "/v1/",
        "v1/users",
        "v1/users/a",
        "x/v1/users/a",
        "/v1/users/",
        "//v1/users",
        "/v1//users/a",
        "/v1/users//disable",
        "/v1/users/a/disable/",
        "/v1/users/a/sessions",
        "/v1/users/a/sessions/",
        "/v1/users/all/x",
        "/V1/users",
    ],
)
def test_other_paths_lead_nowhere(path: str) -> None:
    with pytest.raises(NotFound):
        TABLE.find("GET", path)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/v1/users", ("GET", "HEAD", "POST")),
        ("GET", "/v1/users/search", ("POST",)),
        ("get", "/v1/users/a", ("DELETE", "GET", "HEAD")),
        ("BREW", "/v1/users/a/disable", ("POST",)),
    ],
)
def test_another_method_is_told_which_ones_the_path_takes(method: str, path: str, allowed: tuple[str, ...]) -> None:
    with pytest.raises(MethodNotAllowed) as raised:
        TABLE.find(method, path)
    assert raised.value.allowed == allowed


@pytest.mark.parametrize("again", ["GET /v1/users", "GET /v1/users/{other}"])
def test_nothing_is_served_twice(again: str) -> None:
    with pytest.raises(ValueError, match="declared twice"):
        table_of("GET /v1/users", "GET /v1/users/{user_id}", again)
