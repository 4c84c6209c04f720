"""Bodies: what is taken, and what is refused, with every fault at once."""

import json
from collections.abc import AsyncIterator

import pytest

from tests.http.things import ADMIN, MAX_BODY, Door, code_in, faults_in

GOOD = {"name": "box"}


async def test_a_body_of_the_declared_type_arrives_whole(door: Door) -> None:
    sent = {
        "name": "bøx 𝒳",
        "count": 3,
        "ratio": 0,
        "flag": True,
        "note": None,
        "color": "green",
        "mode": "slow",
        "code": "ab",
        "made_at": "2024-01-20T11:00:00+01:00",
        "tags": ["a", "b"],
        "parts": [{"size": 2, "label": "x"}],
        "main_part": {"size": 9, "label": "y"},
        "metadata": {"a": {"b": [1, 2.5, None, True, "x"]}},
        "labels": {"a": 1},
    }
    response = await door.post(json.dumps(sent).encode())
    assert response.status_code == 201, response.text
    assert response.json()["said"] == sent


async def test_absent_and_null_are_told_apart(door: Door) -> None:
    assert "note" not in (await door.post(b'{"name":"x"}')).json()["said"]
    assert (await door.post(b'{"name":"x","note":null}')).json()["said"]["note"] is None


WRONG = [
    ('{"count":"3"}', {"count": "wrong_type", "name": "required"}),
    ('{"name":"x","count":"3"}', {"count": "wrong_type"}),
    ('{"name":"x","count":3.0}', {"count": "wrong_type"}),
    ('{"name":"x","count":true}', {"count": "wrong_type"}),
    ('{"name":"x","count":null}', {"count": "wrong_type"}),
    ('{"name":"x","count":-1}', {"count": "out_of_range"}),
    ('{"name":"x","count":1001}', {"count": "out_of_range"}),
    ('{"name":"x","count":123456789012345678901234567890}', {"count": "out_of_range"}),
    ('{"name":"x","ratio":1e400}', {"ratio": "out_of_range"}),
    ('{"name":"x","ratio":1}', {"ratio": "out_of_range"}),
    ('{"name":"x","flag":1}', {"flag": "wrong_type"}),
    ('{"name":"x","flag":"true"}', {"flag": "wrong_type"}),
    ('{"name":1}', {"name": "wrong_type"}),
    ('{"name":null}', {"name": "wrong_type"}),
    ('{"name":""}', {"name": "invalid"}),
    ('{"name":"' + "x" * 21 + '"}', {"name": "too_long"}),
    ('{"name":"x","color":"blue"}', {"color": "invalid"}),
    ('{"name":"x","color":1}', {"color": "wrong_type"}),
    ('{"name":"x","mode":"medium"}', {"mode": "invalid"}),
    ('{"name":"x","code":"ABC"}', {"code": "invalid"}),
    ('{"name":"x","made_at":"yesterday"}', {"made_at": "invalid"}),
    ('{"name":"x","made_at":"2024-01-20T11:00:00"}', {"made_at": "invalid"}),
    ('{"name":"x","tags":"a"}', {"tags": "wrong_type"}),
    ('{"name":"x","tags":["","b",3]}', {"tags[0]": "invalid", "tags[2]": "wrong_type"}),
    ('{"name":"x","tags":["a","b","c","d"]}', {"tags": "too_long"}),
    ('{"name":"x","parts":[{},{"size":0},{"sise":1}]}', {"parts[1].size": "out_of_range", "parts[2].sise": "unknown"}),
    ('{"name":"x","main_part":{"label":"LOUD"}}', {"main_part.label": "invalid"}),
    ('{"name":"x","metadata":[]}', {"metadata": "wrong_type"}),
    ('{"name":"x","metadata":{"n":123456789012345678901234567890}}', {"metadata.n": "out_of_range"}),
    ('{"nam":"x"}', {"nam": "unknown", "name": "required"}),
    ("[]", {"body": "wrong_type"}),
    ("null", {"body": "wrong_type"}),
    ('"text"', {"body": "wrong_type"}),
    (
        '{"name":5,"count":"x","flag":0,"zzz":1,"main_part":{"size":"L"}}',
        {
            "name": "wrong_type",
            "count": "wrong_type",
            "flag": "wrong_type",
            "zzz": "unknown",
            "main_part.size": "wrong_type",
        },
    ),
]


@pytest.mark.parametrize(("body", "expected"), WRONG)
async def test_every_bad_field_is_named_at_once(door: Door, body: str, expected: dict[str, str]) -> None:
    response = await door.post(body.encode())
    assert faults_in(response) == expected
    assert code_in(response) == "validation_failed"
    assert door.things.contexts == []


async def test_messages_say_what_to_do(door: Door) -> None:
    response = await door.post(
        b'{"nmae":"x","count":2000,"color":"blue","code":"ABC","flag":1,"tags":["a","b","c","d"]}'
    )
    said = {fault["field"]: fault["message"] for fault in response.json()["error"]["details"]}
    assert said == {
        "nmae": "There is no such field. Did you mean name?",
        "name": "Is required: text of 1 to 20 characters.",
        "count": "Must be a whole number from 0 to 1000.",
        "color": "Must be one of green, red.",
        "code": "Must be text: two small letters.",
        "flag": "Must be true or false, not a whole number.",
        "tags": "Must be a list of at most 3 items, not 4.",
    }


async def test_faults_of_headers_query_and_body_come_together(door: Door) -> None:
    response = await door.call(
        "POST",
        "/v1/things?limit=0&zzz=1",
        headers=ADMIN | {"content-type": "application/json", "x-acting-admin": "  ", "idempotency-key": "x" * 256},
        content=b'{"name":1}',
    )
    assert faults_in(response) == {
        "X-Acting-Admin": "invalid",
        "Idempotency-Key": "invalid",
        "zzz": "unknown",
        "limit": "out_of_range",
        "name": "wrong_type",
    }


DUPLICATES = [
    (b'{"name":"a","name":"b"}', "name"),
    (b'{"name":"a","n\\u0061me":"b"}', "name"),
    (b'{"name":"a","main_part":{"size":1,"size":1}}', "main_part.size"),
    (b'{"name":"a","parts":[{},{"size":1,"size":1}]}', "parts[1].size"),
    (b'{"name":"a","metadata":{"x":[{"deep":{"k":1,"k":2}}]}}', "metadata.x[0].deep.k"),
]


@pytest.mark.parametrize(("body", "field"), DUPLICATES)
async def test_a_key_that_comes_twice_is_refused_at_any_depth(door: Door, body: bytes, field: str) -> None:
    assert faults_in(await door.post(body)) == {field: "duplicate"}


BAD_TEXT = [
    (b'{"name":"a\\u0000b"}', "name"),
    (b'{"name":"\\ud800"}', "name"),
    (b'{"name":"\\uDFFFx"}', "name"),
    (b'{"name":"x","metadata":{"k":"\\u0000"}}', "metadata.k"),
    (b'{"name":"x","metadata":{"k":["\\ud83d"]}}', "metadata.k[0]"),
    (b'{"name":"x","metadata":{"a\\u0000":1}}', "metadata.a\\u0000"),
    (b'{"name":"x","metadata":{"\\ud800":1}}', "metadata.\\ud800"),
    (b'{"name":"x","\\ud800":1}', "\\ud800"),
]


@pytest.mark.parametrize(("body", "field"), BAD_TEXT)
async def test_nul_and_lone_surrogates_are_refused_in_values_and_keys(door: Door, body: bytes, field: str) -> None:
    assert faults_in(await door.post(body)) == {field: "invalid"}


async def test_escapes_that_only_look_bad_are_taken(door: Door) -> None:
    response = await door.post(b'{"name":"\\ud83d\\ude00","note":"\\\\u0000 \\u00e9"}')
    assert response.json()["said"]["name"] == "😀"
    assert response.json()["said"]["note"] == "\\u0000 é"


MALFORMED = [
    (b"", "is empty"),
    (b"{", "line 1, column 2"),
    (b'{"name":"x",}', "line 1, column 1"),
    (b'{"name":"x"}{', "Extra data"),
    (b'{\n "name": x}', "line 2, column 10"),
    (b"{'name':'x'}", "double quotes"),
    (b'{"name":"a\x00b"}', "control character"),
    (b'{"name":"a\nb"}', "control character"),
    (b'{"name":NaN}', "NaN"),
    (b'{"name":"x","ratio":-Infinity}', "-Infinity"),
    (b'{"count":01}', "character"),
    (b'\xef\xbb\xbf{"name":"x"}', "BOM"),
    (b'{"name":"\xff"}', "byte 9 is not UTF-8"),
    (b'{"name":"\xed\xa0\x80"}', "byte 9 is not UTF-8"),
    (b'{"name":"\xc0\xaf"}', "byte 9 is not UTF-8"),
    (b'{"metadata":{"\xff":1}}', "not UTF-8"),
    ("{}".encode("utf-16"), "byte 0 is not UTF-8"),
    (b"not json at all", "Expecting value"),
]


@pytest.mark.parametrize(("body", "said"), MALFORMED)
async def test_what_is_not_json_is_a_400_that_says_where(door: Door, body: bytes, said: str) -> None:
    response = await door.post(body)
    assert response.status_code == 400
    assert code_in(response) == "malformed_json"
    assert said in response.json()["error"]["message"]


DEEP = [
    b'{"name":"x","metadata":{"a":' + b"[" * 3000 + b"]" * 3000 + b"}}",
    b'{"name":"x","metadata":' + b'{"a":' * 3000 + b"1" + b"}" * 3000 + b"}",
    b'{"name":"x","metadata":{"a":' + b"[" * 3000,
    b"[" * 3000 + b"]" * 3000,
    b'{"a":' * 3000,
    b'{"name":"x","metadata":{"a":' + b"[" * 31 + b"]" * 31 + b"}}",
]


@pytest.mark.parametrize("body", DEEP, ids=["lists", "objects", "unclosed", "bare", "unclosed objects", "one too deep"])
async def test_deep_nesting_is_a_clean_refusal(door: Door, body: bytes) -> None:
    response = await door.post(body, path="/v1/search" if len(body) > MAX_BODY else "/v1/things")
    assert response.status_code in {400, 422}
    if response.status_code == 422:
        assert faults_in(response) == {"body": "too_deep"}
    assert door.things.contexts == []


async def test_nesting_up_to_the_limit_is_taken_and_brackets_in_text_do_not_count(door: Door) -> None:
    deep = b'{"name":"x","metadata":{"a":' + b"[" * 30 + b"]" * 30 + b',"t":"' + b"[{" * 100 + b'","u":"\\"[["}}'
    assert (await door.post(deep)).status_code == 201


async def test_a_body_that_declares_more_than_it_may_have_is_never_read(door: Door) -> None:
    async def refuse() -> AsyncIterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    response = await door.call(
        "POST",
        "/v1/things",
        headers=ADMIN | {"content-type": "application/json", "content-length": "10000000"},
        content=refuse(),
    )
    assert response.status_code == 413
    assert code_in(response) == "payload_too_large"
    assert response.headers["connection"] == "close"


async def test_a_body_in_chunks_is_read_no_further_than_it_may_be(door: Door) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 10_000_000:
            sent += 1000
            yield b"x" * 1000

    response = await door.call(
        "POST", "/v1/things", headers=ADMIN | {"content-type": "application/json"}, content=endless()
    )
    assert response.status_code == 413
    assert sent <= MAX_BODY + 1000


async def test_a_body_in_chunks_is_put_together(door: Door) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for piece in (b'{"na', b"", b'me":"x', b'"}'):
            yield piece

    response = await door.call(
        "POST", "/v1/things", headers=ADMIN | {"content-type": "application/json"}, content=chunks()
    )
    assert response.json()["said"]["name"] == "x"


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON;charset=UTF-8",
        'application/json; charset="utf-8"',
    ],
)
async def test_json_in_utf_8_is_taken(door: Door, content_type: str) -> None:
    assert (await door.post(b'{"name":"x"}', content_type=content_type)).status_code == 201


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=latin-1",
        "application/json, text/plain",
        "application/jsonp",
        "application/merge-patch+json",
        "multipart/form-data; boundary=x",
    ],
)
async def test_other_content_types_are_refused(door: Door, content_type: str) -> None:
    response = await door.post(b'{"name":"x"}', content_type=content_type)
    assert response.status_code == 415
    assert code_in(response) == "unsupported_media_type"


async def test_a_missing_content_type_and_a_compressed_body_are_refused(door: Door) -> None:
    assert (await door.call("POST", "/v1/things", content=b'{"name":"x"}')).status_code == 415
    assert (await door.post(b"\x1f\x8b", content_encoding="gzip")).status_code == 415


async def test_an_optional_body_may_be_absent_or_empty_text_of_no_type(door: Door) -> None:
    assert (await door.call("PATCH", "/v1/things/a")).json()["said"] == ["a", {"reason": None}]
    assert (await door.call("PATCH", "/v1/things/a", json={"reason": "r"})).json()["said"] == ["a", {"reason": "r"}]
    assert faults_in(await door.call("PATCH", "/v1/things/a", json={"raeson": "r"})) == {"raeson": "unknown"}


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_a_body_where_none_is_declared_is_refused(door: Door, method: str) -> None:
    assert faults_in(await door.call(method, "/v1/things/a", content=b"{}")) == {"body": "unknown"}
    assert (await door.call(method, "/v1/things/a", headers=ADMIN | {"content-length": "0"})).status_code in {200, 204}


async def test_a_flood_of_faults_is_cut(door: Door) -> None:
    body = json.dumps({f"k{number}": 1 for number in range(300)}).encode()
    assert len(faults_in(await door.post(body))) == 100


async def test_huge_names_come_back_short(door: Door) -> None:
    response = await door.post(json.dumps({"k" * 3000: 1}).encode())
    assert len(response.content) < 1000


async def test_nothing_is_read_before_the_caller_is_known(door: Door) -> None:
    async def refuse() -> AsyncIterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    response = await door.call("POST", "/v1/things", headers={"content-type": "application/json"}, content=refuse())
    assert response.status_code == 401


async def test_rules_of_maps_hold_whatever_else_is_wrong(door: Door) -> None:
    crowded = {"a": 1, "b": 2, "c": 3}
    assert faults_in(await door.post(json.dumps({"name": "x", "labels": crowded}).encode())) == {"labels": "invalid"}
    assert faults_in(await door.post(json.dumps({"name": 1, "labels": crowded}).encode())) == {
        "name": "wrong_type",
        "labels": "invalid",
    }
