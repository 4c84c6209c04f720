"""Rows that make no user: what is wrong with them, what is taken already, and who may give which role."""

import asyncio
from typing import Any

import pytest

from hellojohn_server.kit.user_files.formats import UserFormat
from hellojohn_server.kit.user_files.rows import FileShape
from tests.features.auth.parts import Front, make_front
from tests.features.imports.parts import (
    done,
    faults_in,
    kept_of,
    lines,
    people,
    report_of,
    send,
    total_of,
    users_of,
)

_DEEP: Any = {"a": 1}
for _ in range(40):
    _DEEP = {"a": _DEEP}

BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"email": None}, "email", "required"),
    ({"email": "nobody"}, "email", "invalid"),
    ({"email": 5}, "email", "wrong_type"),
    ({"email": f"{'x' * 250}@example.com"}, "email", "invalid"),
    ({"email_verified": "perhaps"}, "email_verified", "wrong_type"),
    ({"id": "usr_1"}, "id", "invalid"),
    ({"id": "u" * 40}, "id", "too_long"),
    ({"username": "has space"}, "username", "invalid"),
    ({"username": "u" * 65}, "username", "too_long"),
    ({"name": "\t"}, "name", "invalid"),
    ({"name": "n" * 201}, "name", "too_long"),
    ({"phone": "12345"}, "phone", "invalid"),
    ({"phone_verified": True}, "phone_verified", "invalid"),
    ({"avatar_url": "ftp://example.com/a.png"}, "avatar_url", "invalid"),
    ({"external_id": "x" * 256}, "external_id", "too_long"),
    ({"role": "pirate"}, "role", "unknown"),
    ({"role": "r" * 65}, "role", "too_long"),
    ({"status": "deleted"}, "status", "invalid"),
    ({"disabled": "perhaps"}, "disabled", "wrong_type"),
    ({"disabled": True, "disabled_reason": "r" * 501}, "disabled_reason", "too_long"),
    ({"ban": {"since": "once"}}, "ban.since", "invalid"),
    ({"ban": {"until": "9999-12-31T23:59:59.999-12:00"}}, "banned_until", "out_of_range"),
    ({"ban": {"reason": "r" * 501}}, "ban_reason", "too_long"),
    ({"ban": "yes"}, "ban", "wrong_type"),
    ({"password_hash": "5f4dcc3b5aa765d61d8327deb882cf99"}, "password_hash", "invalid"),
    ({"password_hash": "$2b$31$" + "a" * 53}, "password_hash", "invalid"),
    ({"password_hash": "$argon2id$" + "a" * 1100}, "password_hash", "too_long"),
    ({"password_reset_required": 7}, "password_reset_required", "wrong_type"),
    ({"public_metadata": {"text": "x" * 16_384}}, "public_metadata", "too_long"),
    ({"private_metadata": {"text": "x" * 16_384}}, "private_metadata", "too_long"),
    ({"private_metadata": {"number": 10**30}}, "private_metadata", "out_of_range"),
    ({"private_metadata": _DEEP}, "private_metadata", "too_deep"),
    ({"public_metadata": [1]}, "public_metadata", "wrong_type"),
    ({"created_at": "2027-01-01T00:00:00Z"}, "created_at", "out_of_range"),
    ({"created_at": "1969-01-01T00:00:00Z"}, "created_at", "out_of_range"),
    ({"created_at": "soon"}, "created_at", "invalid"),
    ({"updated_at": "2027-01-01T00:00:00Z"}, "updated_at", "out_of_range"),
    ({"last_sign_in_at": "2027-01-01T00:00:00Z"}, "last_sign_in_at", "out_of_range"),
    ({"last_active_at": "soon"}, "last_active_at", "invalid"),
    ({"colour": "red"}, "colour", "unknown"),
]


async def test_one_bad_row_for_each_field_is_listed_and_the_others_go_in(front: Front) -> None:
    rows = [{"email": f"bad{number}@example.com", **given} for number, (given, _, _) in enumerate(BAD)]
    good = people(3)
    data = lines(good[0], *rows, "{", "[]", good[1]) + b'\xff\n{"email": "\\u0000"}\n\n' + lines(good[2])

    made = await done(await send(front, data), imported=3, refused=len(BAD) + 4)

    report = await report_of(front, made["id"])
    expected = [(number + 2, field, code) for number, (_, field, code) in enumerate(BAD)]
    after = len(BAD) + 2
    expected += [(after, "", "invalid"), (after + 1, "", "wrong_type"), (after + 3, "", "invalid")]
    expected += [(after + 4, "", "invalid")]
    assert faults_in(report) == expected
    assert [line["line"] for line in report] == [line["row"] for line in report]
    assert all(fault["message"] for line in report for fault in line["faults"])
    assert sorted(await users_of(front)) == sorted(person["email"] for person in good)


async def test_every_fault_of_a_row_is_listed_as_the_file_calls_its_field(front: Front) -> None:
    row = {"user_id": "x" * 300, "email": "a@example.com", "picture": "x", "last_login": "never", "name": "n" * 300}
    made = await done(await send(front, lines(row), UserFormat.AUTH0), refused=1)
    assert sorted(faults_in(await report_of(front, made["id"]))) == [
        (1, "last_login", "invalid"),
        (1, "name", "too_long"),
        (1, "picture", "invalid"),
        (1, "user_id", "too_long"),
    ]


async def test_who_is_there_already_is_left_out_and_listed(front: Front) -> None:
    there = {"email": "Alice@example.com", "username": "Alice", "external_id": "x-1"}
    alice = (await front.admin("POST", "/v1/users", there)).json()["id"]
    binned = (await front.admin("POST", "/v1/users", {"email": "binned@example.com"})).json()["id"]
    banned = (await front.admin("POST", "/v1/users", {"email": "banned@example.com"})).json()["id"]
    await front.admin("POST", f"/v1/users/{banned}/ban", {"reason": "spam"})
    await front.admin("DELETE", f"/v1/users/{binned}")
    await front.admin("DELETE", f"/v1/users/{banned}?permanent=true")
    rows = [
        {"email": "ALICE@EXAMPLE.COM"},
        {"email": "b@example.com", "username": "aLICE"},
        {"email": "c@example.com", "external_id": "x-1"},
        {"email": "d@example.com", "id": alice},
        {"email": "binned@example.com"},
        {"email": "banned@example.com"},
        {"email": "e@example.com", "username": "eve", "external_id": "x-2"},
        {"email": "E@example.com", "username": "EVE", "external_id": "x-2"},
        {"email": "alice@example.com", "role": "pirate"},
        {"email": "b@example.com", "username": "bob"},
    ]

    made = await done(await send(front, lines(*rows)), imported=2, duplicates=7, refused=1)

    assert faults_in(await report_of(front, made["id"])) == [
        (1, "email", "email_already_exists"),
        (2, "username", "username_already_exists"),
        (3, "external_id", "external_id_already_exists"),
        (4, "id", "duplicate"),
        (5, "email", "email_already_exists"),
        (6, "email", "email_banned"),
        (8, "email", "email_already_exists"),
        (8, "username", "username_already_exists"),
        (8, "external_id", "external_id_already_exists"),
        (9, "email", "email_already_exists"),
        (9, "role", "unknown"),
    ]
    assert sorted(await users_of(front)) == ["Alice@example.com", "b@example.com", "e@example.com"]


async def test_the_same_file_again_makes_nobody_twice(front: Front) -> None:
    data = lines(*people(150))
    await done(await send(front, data), imported=150)
    await done(await send(front, data), duplicates=150)
    assert await total_of(front) == 150


async def test_the_same_file_many_times_at_once_makes_nobody_twice(front: Front) -> None:
    data = lines(*people(120))
    answers = await asyncio.gather(*(send(front, data) for _ in range(8)))
    bodies = [answer.json() for answer in answers]
    assert {answer.status_code for answer in answers} == {201}
    assert {body["status"] for body in bodies} == {"completed"}
    assert sum(body["imported"] for body in bodies) == 120
    assert sum(body["duplicates"] for body in bodies) == 7 * 120
    assert await total_of(front) == 120


async def test_roles_are_given_if_there_are_such_and_never_upward(front: Front) -> None:
    for name, privileged in (("editor", False), ("auditor", True)):
        body = {"name": name, "permissions": ["a:b"], "privileged": privileged}
        assert (await front.admin("POST", "/v1/roles", body)).status_code == 201
    roles = ["member", "editor", "auditor", "admin", "super_admin"]
    rows = [{"email": f"{role}@example.com", "role": role} for role in roles]
    key = await front.app.make_key(front.tenant_id, "users:write")

    below = await done(await send(front, lines(*rows), key=key), imported=2, refused=3)

    assert faults_in(await report_of(front, below["id"])) == [(row, "role", "missing_scope") for row in (3, 4, 5)]
    await done(await send(front, lines(*rows)), imported=3, duplicates=2)
    assert {user["role"] for user in (await users_of(front)).values()} == set(roles)


async def test_reports_keep_nothing_of_what_was_in_the_rows(front: Front) -> None:
    row = {"email": "alice@@example.com", "name": "A" * 300, "username": "ali ce", "password_hash": "hunter2"}
    csv = b"somebody@example.com,x\n1,2\n"
    await done(await send(front, lines(row, '{"mallory@example.com": 1}')), refused=2)
    assert (await send(front, csv, shape=FileShape.CSV)).json()["status"] == "interrupted"
    kept = await kept_of(front)
    for value in ("alice", "AAAA", "ali ce", "hunter2", "somebody", "mallory"):
        assert value not in kept


@pytest.mark.parametrize("scopes", [("users:read",), ("users:credentials",)])
async def test_a_key_that_may_not_write_users_may_not_import_any(front: Front, scopes: tuple[str, ...]) -> None:
    key = await front.app.make_key(front.tenant_id, *scopes)
    answer = await send(front, lines(*people(1)), key=key)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "insufficient_scope")
    assert await total_of(front) == 0


async def test_another_tenant_sees_nothing_and_may_have_the_same_people(front: Front) -> None:
    other = await make_front(front.app)
    data = lines(*people(2), {"email": "x"})
    made = (await send(front, data)).json()["id"]
    for method, path in (("GET", ""), ("GET", "/report")):
        answer = await other.admin(method, f"/v1/admin/imports/{made}{path}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "import_not_found")
    answer = await send(other, data, resume=made)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "import_not_found")
    assert (await other.admin("GET", "/v1/admin/imports")).json()["data"] == []
    assert await total_of(other) == 0
    await done(await send(other, data), imported=2, refused=1)
