"""The export through the app on both stores: what the answer says of itself, who may, and what is refused."""

from typing import Final

import pytest

from tests.features.auth.parts import Front
from tests.features.search.people import insert_people, person

EXPORT: Final = "/v1/admin/users/export"


@pytest.mark.parametrize(
    ("query", "content_type", "file_name"),
    [
        ("", "application/x-ndjson", "users.ndjson"),
        ("?format=csv", "text/csv; charset=utf-8", "users.csv"),
    ],
)
async def test_what_the_answer_is(front: Front, query: str, content_type: str, file_name: str) -> None:
    user = await front.sign_up()

    answer = await front.admin("GET", EXPORT + query)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == content_type
    assert answer.headers["content-disposition"] == f'attachment; filename="{file_name}"'
    assert user.user_id in answer.text
    head = await front.app.call(front.secret, "HEAD", EXPORT + query)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-disposition"] == answer.headers["content-disposition"]


async def test_a_line_is_what_get_answers(front: Front) -> None:
    user = await front.sign_up(name="Alice")
    await front.admin("PATCH", f"/v1/users/{user.user_id}", {"private_metadata": {"plan": "pro"}})
    shown = (await front.admin("GET", f"/v1/users/{user.user_id}")).content
    assert (await front.admin("GET", EXPORT)).content == shown + b"\n"


async def test_thousands_are_all_in_it(front: Front) -> None:
    users = [person(number) for number in range(2_100)]
    await insert_people(front.app.services.database, front.tenant_id, users)
    lines = (await front.admin("GET", EXPORT)).content.splitlines()
    assert [line[7:37].decode() for line in lines] == [user.id for user in reversed(users)]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?format=xml", "format"),
        ("?limit=5", "limit"),
        ("?cursor=x", "cursor"),
        ("?query=!", "query"),
        ("?disabled=maybe", "disabled"),
        ("?created_after=yesterday", "created_after"),
        ("?disabled=true&disabled=true", "disabled"),
    ],
)
async def test_what_is_refused(front: Front, query: str, field: str) -> None:
    answer = await front.admin("GET", EXPORT + query)
    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["error"]["details"]] == [field]
    assert "users.exported" not in [entry.type for entry in await front.entries()]


async def test_who_may(front: Front) -> None:
    await front.sign_up()
    await insert_people(front.app.services.database, front.tenant_id, [person(1, role="super_admin")])
    app = front.app
    for key, query, missing in (
        (await app.make_key(front.tenant_id, "users:read", "users:write"), "", "users:export"),
        (await app.make_key(front.tenant_id, "users:export"), "", "admins:manage"),
        (await app.make_key(front.tenant_id, "*"), "", "admins:manage"),
        (await app.make_key(front.tenant_id, "users:export"), "?role=member", None),
        (front.secret, "", None),
    ):
        answer = await app.call(key, "GET", EXPORT + query)
        assert answer.is_success is (missing is None), answer.text
        assert missing is None or missing in answer.text
    kinds = [entry.type for entry in await front.entries()]
    assert kinds.count("users.exported") == 2
    assert "operation.denied" in kinds
