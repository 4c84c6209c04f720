"""Idempotency-Key, If-Match, X-Acting-Admin and User-Agent: what services are told of them."""

import httpx
import pytest
from cryptography.exceptions import InvalidTag

from hellojohn_server.http.request_headers import NO_VERSION
from tests.http.things import ADMIN, Door, code_in, faults_in, key_of

JSON = ADMIN | {"content-type": "application/json"}


async def create(door: Door, name: str = "x", path: str = "/v1/things", **headers: str) -> httpx.Response:
    named = {header.replace("_", "-"): value for header, value in headers.items()}
    return await door.call("POST", path, headers=JSON | named, json={"name": name})


async def test_the_context_says_who_and_how(door: Door) -> None:
    headers = [(name.encode(), value.encode()) for name, value in JSON.items()]
    headers += [(b"x-acting-admin", "Jörg <jörg@x.test>".encode()), (b"user-agent", b"test/1")]
    await door.call("POST", "/v1/things", headers=headers, content=b'{"name":"x"}')
    context = door.things.contexts[0]
    assert context.asserted == "Jörg <jörg@x.test>"
    assert context.user_agent == "test/1"
    assert context.ip_address == "192.0.2.1"
    assert context.if_match is None
    assert context.idempotency is None
    assert context.principal.id == "key_1"


@pytest.mark.parametrize("value", [b"", b"   ", b"x" * 201, b"\xff", b"a\tb", "a\u202eb".encode(), b"a\x7fb"])
async def test_an_acting_admin_that_cannot_be_shown_is_refused(door: Door, value: bytes) -> None:
    headers = [(b"authorization", ADMIN["authorization"].encode()), (b"x-acting-admin", value)]
    assert faults_in(await door.call("GET", "/v1/things", headers=headers)) == {"X-Acting-Admin": "invalid"}


async def test_a_user_agent_is_cleaned_and_cut(door: Door) -> None:
    await door.call("GET", "/v1/things", headers=[*ADMIN.items(), ("user-agent", "a\x01b" + "c" * 1000)])
    agent = door.things.contexts[0].user_agent
    assert agent is not None
    assert agent.startswith("abc")
    assert len(agent) == 512


async def test_an_idempotency_key_reaches_the_service_and_a_replay_is_said(door: Door) -> None:
    response = await create(door, idempotency_key="k1")
    assert response.status_code == 201
    assert "idempotency-replayed" not in response.headers
    assert (await create(door, "again", idempotency_key="k1")).headers["idempotency-replayed"] == "true"


async def test_an_idempotency_key_is_bound_to_credential_method_path_query_and_body(door: Door) -> None:
    await create(door, idempotency_key="k1")
    await create(door, idempotency_key="k1")
    await create(door, "other", idempotency_key="k1")
    await create(door, path="/v1/things?limit=5", idempotency_key="k1")
    await create(door, idempotency_key="k2")
    await create(door, idempotency_key="k1", authorization=f"Bearer {key_of('secret_key', '*', 'users:read')}")
    first, same, other_body, other_query, other_key, other_credential = [
        context.idempotency for context in door.things.contexts
    ]
    assert first is not None
    assert same is not None
    assert (same.key_hash, same.request_hash) == (first.key_hash, first.request_hash)
    for changed in (other_body, other_query):
        assert changed is not None
        assert changed.key_hash == first.key_hash
        assert changed.request_hash != first.request_hash
    assert other_key is not None
    assert other_key.key_hash != first.key_hash
    assert other_credential is not None
    sealed = first.seal(b"answer")
    assert same.open(sealed) == b"answer"
    with pytest.raises(InvalidTag):
        other_credential.open(sealed)


@pytest.mark.parametrize("key", ["", "x" * 256, "a\x7f", "a\tb"])
async def test_a_bad_idempotency_key_is_refused(door: Door, key: str) -> None:
    assert faults_in(await create(door, idempotency_key=key)) == {"Idempotency-Key": "invalid"}
    assert door.things.contexts == []


async def test_the_longest_idempotency_key_is_taken(door: Door) -> None:
    assert (await create(door, idempotency_key="~" * 255)).status_code == 201


async def test_a_key_that_a_handler_forgets_is_a_defect(door: Door) -> None:
    response = await door.call("PATCH", "/v1/things/a", headers=ADMIN | {"idempotency-key": "k"})
    assert response.status_code == 500
    assert code_in(response) == "internal_error"
    assert "UnusedIdempotencyKey: update_thing" in door.log_text


async def test_a_key_is_ignored_by_reads_and_by_routes_that_say_so(door: Door) -> None:
    headers = ADMIN | {"idempotency-key": "k"}
    assert (await door.call("GET", "/v1/things", headers=headers)).status_code == 200
    assert (await door.call("POST", "/v1/search", headers=headers)).status_code == 200
    assert [context.idempotency for context in door.things.contexts] == [None, None]


async def test_a_key_is_refused_where_an_answer_must_not_be_kept(door: Door) -> None:
    response = await door.call("POST", "/v1/sign-in", headers=ADMIN | {"idempotency-key": "k"})
    assert response.status_code == 422
    assert code_in(response) == "idempotency_not_supported"
    publishable = {"authorization": f"Bearer {key_of('publishable_key')}"}
    response = await door.call("POST", "/v1/sign-up", headers=publishable | {"idempotency-key": "k"})
    assert code_in(response) == "idempotency_not_supported"
    assert (await door.call("POST", "/v1/sign-up", headers=publishable)).status_code == 200


@pytest.mark.parametrize(
    ("value", "version"),
    [
        ('"3"', 3),
        ('  "3" ', 3),
        ("*", None),
        ('W/"3"', NO_VERSION),
        ('"abc"', NO_VERSION),
        ('"03"', NO_VERSION),
        ('"0"', NO_VERSION),
        ('"-1"', NO_VERSION),
        ('""', NO_VERSION),
        ('"99999999999999999999"', NO_VERSION),
    ],
)
async def test_if_match_is_a_version_or_matches_none(door: Door, value: str, version: int | None) -> None:
    response = await door.call("PATCH", "/v1/things/a", headers=ADMIN | {"if-match": value})
    assert response.status_code == 200, response.text
    assert door.things.contexts[0].if_match == version


@pytest.mark.parametrize("value", ["3", "", '"3', '3"', "'3'", '"3" "4"', '"3", "4"', '"3",', "W/3"])
async def test_an_if_match_that_names_no_one_version_is_refused(door: Door, value: str) -> None:
    response = await door.call("PATCH", "/v1/things/a", headers=ADMIN | {"if-match": value})
    assert faults_in(response) == {"If-Match": "invalid"}


async def test_if_match_is_never_ignored_by_a_change(door: Door) -> None:
    response = await door.call("DELETE", "/v1/things/a", headers=ADMIN | {"if-match": '"3"'})
    assert faults_in(response) == {"If-Match": "unknown"}
    assert (await door.call("GET", "/v1/things/a", headers=ADMIN | {"if-match": '"3"'})).status_code == 200


@pytest.mark.parametrize("name", ["X-Acting-Admin", "Idempotency-Key", "If-Match"])
async def test_a_header_that_comes_twice_is_refused(door: Door, name: str) -> None:
    headers = [*ADMIN.items(), (name, '"3"'), (name, '"3"')]
    assert faults_in(await door.call("PATCH", "/v1/things/a", headers=headers)) == {name: "duplicate"}


async def test_an_answer_carries_its_version_and_place(door: Door) -> None:
    response = await create(door)
    assert response.headers["etag"] == '"7"'
    assert response.headers["location"] == "/v1/things/thing"
    assert "etag" not in (await door.call("GET", "/v1/things")).headers
