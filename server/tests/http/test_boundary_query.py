"""Query strings: exact forms only, nothing unknown, nothing twice."""

import pytest

from tests.http.things import Door, code_in, faults_in


async def test_parameters_arrive_as_declared(door: Door) -> None:
    response = await door.call(
        "GET", "/v1/things?limit=5&flag=false&email=a%2Bb%40x.test&color=green&from=2024-01-20T11%3A00%3A00Z"
    )
    assert response.json()["said"] == {
        "limit": 5,
        "flag": False,
        "email": "a+b@x.test",
        "color": "green",
        "from": "2024-01-20T11:00:00Z",
    }


async def test_a_plus_sign_is_a_space_and_utf_8_is_understood(door: Door) -> None:
    assert (await door.call("GET", "/v1/things?email=a+b%20%C3%A9")).json()["said"]["email"] == "a b é"
    assert (await door.call("GET", "/v1/things?%65mail=x")).json()["said"]["email"] == "x"


async def test_defaults_hold_for_what_is_absent(door: Door) -> None:
    for path in ("/v1/things", "/v1/things?", "/v1/things?&"):
        assert (await door.call("GET", path)).json()["said"]["limit"] == 20


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("limit=0", {"limit": "out_of_range"}),
        ("limit=101", {"limit": "out_of_range"}),
        ("limit=5.0", {"limit": "wrong_type"}),
        ("limit=+5", {"limit": "wrong_type"}),
        ("limit=%205", {"limit": "wrong_type"}),
        ("limit=05", {"limit": "wrong_type"}),
        ("limit=1e1", {"limit": "wrong_type"}),
        ("limit=1_0", {"limit": "wrong_type"}),
        ("limit=%D9%A5", {"limit": "wrong_type"}),
        ("limit=9999999999999999999999", {"limit": "wrong_type"}),
        ("limit=", {"limit": "invalid"}),
        ("limit", {"limit": "invalid"}),
        ("limit=null", {"limit": "wrong_type"}),
        ("flag=1", {"flag": "wrong_type"}),
        ("flag=on", {"flag": "wrong_type"}),
        ("flag=True", {"flag": "wrong_type"}),
        ("flag=%20true", {"flag": "wrong_type"}),
        ("flag=", {"flag": "invalid"}),
        ("email=", {"email": "invalid"}),
        ("email=" + "x" * 51, {"email": "too_long"}),
        ("email=%00", {"email": "invalid"}),
        ("email=%FF", {"email": "invalid"}),
        ("email=%C0%AF", {"email": "invalid"}),
        ("email=%ED%A0%80", {"email": "invalid"}),
        ("email=%zz", {"email": "invalid"}),
        ("email=%4", {"email": "invalid"}),
        ("color=blue", {"color": "invalid"}),
        ("from=2024-01-20", {"from": "invalid"}),
        ("from=2024-01-20T11:00:00", {"from": "invalid"}),
        ("limt=5", {"limt": "unknown"}),
        ("Limit=5", {"Limit": "unknown"}),
        ("%FF=5", {"%FF": "unknown"}),
        ("=5", {"": "unknown"}),
        ("limit=5&limit=5", {"limit": "duplicate"}),
        ("limit=5&%6Cimit=6", {"limit": "duplicate"}),
        (
            "limit=0&flag=x&zzz=1&email=%00",
            {"limit": "out_of_range", "flag": "wrong_type", "zzz": "unknown", "email": "invalid"},
        ),
    ],
)
async def test_every_bad_parameter_is_named_at_once(door: Door, query: str, expected: dict[str, str]) -> None:
    response = await door.call("GET", f"/v1/things?{query}")
    assert faults_in(response) == expected
    assert code_in(response) == "validation_failed"
    assert door.things.contexts == []


async def test_a_near_name_is_suggested(door: Door) -> None:
    response = await door.call("GET", "/v1/things?limt=5")
    assert response.json()["error"]["details"][0]["message"] == "There is no such parameter. Did you mean limit?"


async def test_an_operation_without_parameters_takes_none(door: Door) -> None:
    assert faults_in(await door.call("GET", "/v1/things/a?x=1&y=2")) == {"x": "unknown", "y": "unknown"}
    assert (await door.call("GET", "/v1/things/a?")).status_code == 200


async def test_a_flood_of_parameters_is_cut(door: Door) -> None:
    query = "&".join(f"p{number}=1" for number in range(500))
    assert len(faults_in(await door.call("GET", f"/v1/things?{query}"))) == 100
