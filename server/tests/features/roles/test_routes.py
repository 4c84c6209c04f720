"""Roles over HTTP on both stores: made, changed, deleted, by whom, and beside acts on the users who have them."""

import asyncio
from typing import Any, Final

import httpx
import pytest

from hellojohn_server.features.roles import service
from tests.features.auth.parts import Front
from tests.support import RunningApp

PATH: Final = "/v1/roles"
EDITOR: Final = {
    "name": "editor",
    "display_name": "Editor",
    "description": "Edits documents",
    "permissions": ["documents:write", "documents:read", "documents:read"],
}
BUILT_IN: Final = [
    ("role_member", "tenant", False),
    ("role_admin", "tenant", True),
    ("role_super_admin", "tenant", True),
    ("role_organization_owner", "organization", False),
    ("role_organization_admin", "organization", False),
    ("role_organization_member", "organization", False),
]


def error_of(answer: httpx.Response) -> tuple[int, str, list[tuple[str, str]]]:
    error = answer.json()["error"]
    return answer.status_code, error["code"], [(one["field"], one["code"]) for one in error.get("details", [])]


class Desk:
    """A tenant with a key that may do everything, and one that may not manage administrators."""

    def __init__(self, front: Front, lesser: str) -> None:
        self.app = front.app
        self.tenant_id = front.tenant_id
        self.key = front.secret
        self.lesser = lesser

    async def call(
        self, method: str, path: str, body: Any = None, *, key: str | None = None, **headers: str
    ) -> httpx.Response:
        return await self.app.call(key or self.key, method, path, body, headers)

    async def make(self, **values: Any) -> dict[str, Any]:
        answer = await self.call("POST", PATH, {**EDITOR, **values})
        assert answer.status_code == httpx.codes.CREATED, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def make_user(self, name: str, role: str = "editor") -> str:
        answer = await self.call("POST", "/v1/users", {"email": f"{name}@example.com", "role": role})
        assert answer.status_code == httpx.codes.CREATED, answer.text
        return str(answer.json()["id"])

    async def entries(self, kind: str = "role.*") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.call("GET", f"/v1/audit-logs?type={kind}&limit=200")).json()["data"]
        return found[::-1]


@pytest.fixture
async def desk(front: Front, app: RunningApp) -> Desk:
    return Desk(front, await app.make_key(front.tenant_id, "*"))


async def test_a_tenant_begins_with_the_built_in_roles(desk: Desk) -> None:
    listed = (await desk.call("GET", PATH)).json()
    assert [(role["id"], role["scope"], role["privileged"]) for role in listed["data"]] == BUILT_IN
    assert all(role["built_in"] and role["created_at"] is None for role in listed["data"])
    for role in listed["data"]:
        answer = await desk.call("GET", f"{PATH}/{role['id']}")
        assert (answer.json(), answer.headers["etag"]) == (role, '"1"')


async def test_a_role_is_made_changed_and_deleted(desk: Desk) -> None:
    answer = await desk.call("POST", PATH, EDITOR)
    made = answer.json()
    expected = {
        "id": made["id"],
        "name": "editor",
        "display_name": "Editor",
        "description": "Edits documents",
        "scope": "tenant",
        "permissions": ["documents:read", "documents:write"],
        "privileged": False,
        "built_in": False,
        "created_at": "2026-09-21T14:13:20.000Z",
        "updated_at": "2026-09-21T14:13:20.000Z",
        "version": 1,
    }
    path = f"{PATH}/{made['id']}"
    assert (answer.status_code, made, answer.headers["location"], answer.headers["etag"]) == (
        201,
        expected,
        path,
        '"1"',
    )
    assert (await desk.call("GET", path)).json() == expected
    changed = await desk.call("PATCH", path, {"permissions": ["documents:*"], "description": None})
    expected |= {"permissions": ["documents:*"], "description": None, "version": 2}
    assert (changed.json(), changed.headers["etag"]) == (expected, '"2"')
    assert (await desk.call("PATCH", path, {"permissions": ["documents:*"]})).json() == expected
    assert error_of(await desk.call("PATCH", path, {"display_name": "E"}, **{"If-Match": '"1"'}))[0] == 412
    assert error_of(await desk.call("DELETE", path, **{"If-Match": '"1"'}))[0] == 412
    assert (await desk.call("DELETE", path)).status_code == 204
    assert error_of(await desk.call("GET", path)) == (404, "role_not_found", [])
    told = await desk.entries()
    assert [(entry["type"], entry["resource"]) for entry in told] == [
        (kind, {"id": made["id"], "type": "role"}) for kind in ("role.created", "role.updated", "role.deleted")
    ]
    assert told[0]["changes"]["permissions"] == [None, ["documents:read", "documents:write"]]
    assert told[1]["changes"] == {
        "description": ["Edits documents", None],
        "permissions": [["documents:read", "documents:write"], ["documents:*"]],
    }
    assert told[2]["changes"]["name"] == ["editor", None]


async def test_roles_are_listed_page_by_page(desk: Desk) -> None:
    for name in ("viewer", "editor", "auditor"):
        await desk.make(name=name)
    await desk.make(name="billing", scope="organization")
    found: list[str] = []
    cursor = ""
    while True:
        page = (await desk.call("GET", f"{PATH}?limit=4{cursor}")).json()
        assert page["pagination"]["total"] == 10
        found += [role["name"] for role in page["data"]]
        if not page["pagination"]["has_more"]:
            break
        cursor = f"&cursor={page['pagination']['next_cursor']}"
        assert error_of(await desk.call("GET", f"{PATH}?scope=tenant{cursor}"))[1] == "invalid_cursor"
    built_in = ["member", "admin", "super_admin", "owner", "admin", "member"]
    assert found == [*built_in, "auditor", "billing", "editor", "viewer"]
    of_members = (await desk.call("GET", f"{PATH}?scope=organization")).json()
    assert [role["name"] for role in of_members["data"]] == ["owner", "admin", "member", "billing"]
    assert of_members["pagination"]["total"] == 4


@pytest.mark.parametrize(
    ("body", "details"),
    [
        ({}, [("name", "required")]),
        ({"name": "Editor"}, [("name", "invalid")]),
        ({"name": "1st"}, [("name", "invalid")]),
        ({"name": "a b"}, [("name", "invalid")]),
        ({"name": "a_"}, [("name", "invalid")]),
        ({"name": "a" * 65}, [("name", "too_long")]),
        ({"name": "admin"}, [("name", "invalid")]),
        ({"name": "super_admin", "scope": "organization"}, [("name", "invalid")]),
        (
            {"name": "owner", "scope": "organization", "privileged": True},
            [("name", "invalid"), ("privileged", "invalid")],
        ),
        ({"name": "x", "permissions": ["documents"]}, [("permissions[0]", "invalid")]),
        ({"name": "x", "permissions": ["a:b", "Documents:read"]}, [("permissions[1]", "invalid")]),
        ({"name": "x", "permissions": [f"a:{n}" for n in range(201)]}, [("permissions", "too_long")]),
        ({"name": "x", "description": " "}, [("description", "invalid")]),
        ({"name": "x", "scope": "team"}, [("scope", "invalid")]),
    ],
)
async def test_what_is_wrong_is_said(desk: Desk, body: dict[str, Any], details: list[tuple[str, str]]) -> None:
    status, code, found = error_of(await desk.call("POST", PATH, body))
    assert (status, code, found) == (422, "validation_failed", details)


async def test_a_name_is_of_one_role_and_stays(desk: Desk) -> None:
    made = await desk.make()
    for scope in ("tenant", "organization"):
        again = await desk.call("POST", PATH, {"name": "editor", "scope": scope})
        assert error_of(again) == (409, "role_already_exists", [])
    renamed = await desk.call("PATCH", f"{PATH}/{made['id']}", {"name": "writer"})
    assert error_of(renamed) == (422, "validation_failed", [("name", "unknown")])


async def test_what_is_built_in_stays(desk: Desk) -> None:
    for role_id, _, _ in BUILT_IN:
        path = f"{PATH}/{role_id}"
        assert error_of(await desk.call("PATCH", path, {"permissions": ["a:b"]})) == (409, "role_built_in", [])
        assert error_of(await desk.call("DELETE", path)) == (409, "role_built_in", [])
    assert await desk.entries() == []


async def test_another_tenant_has_other_roles(desk: Desk) -> None:
    made = await desk.make()
    other = await desk.app.make_key(await desk.app.make_tenant("Other"))
    for method in ("GET", "PATCH", "DELETE"):
        body = {} if method == "PATCH" else None
        answer = await desk.call(method, f"{PATH}/{made['id']}", body, key=other)
        assert error_of(answer) == (404, "role_not_found", [])
    assert len((await desk.call("GET", PATH, key=other)).json()["data"]) == len(BUILT_IN)
    assert (await desk.call("POST", PATH, EDITOR, key=other)).status_code == 201


async def test_privileged_roles_need_admins_manage(desk: Desk) -> None:
    plain, officer = await desk.make(), await desk.make(name="officer", privileged=True)
    refusals = [
        await desk.call("POST", PATH, {"name": "boss", "privileged": True}, key=desk.lesser),
        await desk.call("PATCH", f"{PATH}/{plain['id']}", {"privileged": True}, key=desk.lesser),
        await desk.call("PATCH", f"{PATH}/{officer['id']}", {"privileged": False}, key=desk.lesser),
        await desk.call("PATCH", f"{PATH}/{officer['id']}", {"description": "x"}, key=desk.lesser),
        await desk.call("DELETE", f"{PATH}/{officer['id']}", key=desk.lesser),
    ]
    for answer in refusals:
        assert error_of(answer) == (403, "insufficient_scope", [("scope", "missing_scope")])
        assert "admins:manage" in answer.text
    assert (await desk.call("PATCH", f"{PATH}/{plain['id']}", {"description": "x"}, key=desk.lesser)).is_success
    assert (await desk.call("DELETE", f"{PATH}/{plain['id']}", key=desk.lesser)).status_code == 204
    path = f"{PATH}/{officer['id']}"
    assert (await desk.call("PATCH", path, {"privileged": False})).json()["privileged"] is False
    assert (await desk.call("DELETE", path, key=desk.lesser)).status_code == 204


async def test_a_replay_is_refused_to_who_may_no_longer(desk: Desk) -> None:
    made = await desk.make()
    path, retry = f"{PATH}/{made['id']}", {"Idempotency-Key": "one"}
    first = await desk.call("PATCH", path, {"description": "x"}, key=desk.lesser, **retry)
    assert first.is_success
    await desk.call("PATCH", path, {"privileged": True})
    again = await desk.call("PATCH", path, {"description": "x"}, key=desk.lesser, **retry)
    assert error_of(again)[:2] == (403, "insufficient_scope")


async def test_a_role_of_members_is_never_privileged_and_describes_no_user(desk: Desk) -> None:
    made = await desk.make(name="billing", scope="organization")
    answer = await desk.call("PATCH", f"{PATH}/{made['id']}", {"privileged": True})
    assert error_of(answer) == (422, "validation_failed", [("privileged", "invalid")])
    given = await desk.call("POST", "/v1/users", {"email": "a@example.com", "role": "billing"})
    assert error_of(given) == (422, "validation_failed", [("role", "unknown")])


async def test_a_role_that_somebody_has_stays(desk: Desk) -> None:
    made = await desk.make()
    path = f"{PATH}/{made['id']}"
    user = await desk.make_user("a")
    await desk.call("DELETE", f"/v1/users/{user}")
    assert error_of(await desk.call("DELETE", path)) == (409, "role_in_use", [])
    await desk.call("POST", f"/v1/users/{user}/restore")
    assert error_of(await desk.call("DELETE", path)) == (409, "role_in_use", [])
    await desk.call("PATCH", f"/v1/users/{user}", {"role": "member"})
    assert (await desk.call("DELETE", path)).status_code == 204
    given = await desk.call("PATCH", f"/v1/users/{user}", {"role": "editor"})
    assert error_of(given) == (422, "validation_failed", [("role", "unknown")])


async def test_users_are_found_and_counted_by_their_role(desk: Desk) -> None:
    await desk.make()
    users = [await desk.make_user(name) for name in ("a", "b")]
    for expected in (users[::-1], users[1:]):
        page = (await desk.call("GET", "/v1/users?role=editor")).json()
        assert ([user["id"] for user in page["data"]], page["pagination"]["total"]) == (expected, len(expected))
        await desk.call("PATCH", f"/v1/users/{users[0]}", {"role": "member"})
    assert (await desk.call("GET", "/v1/users?role=member")).json()["pagination"]["total"] == 1


async def test_a_verified_token_says_what_the_role_permits(desk: Desk, front: Front) -> None:
    await desk.make()
    signed_in = await front.sign_up()

    async def permissions(token: str) -> Any:
        return (await desk.call("POST", "/v1/sessions/verify", {"token": token})).json().get("permissions")

    assert await permissions(signed_in.access) == []
    await desk.call("PATCH", f"/v1/users/{signed_in.user_id}", {"role": "editor"})
    assert await permissions(signed_in.access) is None
    assert await permissions((await front.sign_in()).access) == ["documents:read", "documents:write"]


async def test_of_16_at_once_with_one_name_one_is_made(desk: Desk) -> None:
    answers = await asyncio.gather(*(desk.call("POST", PATH, EDITOR) for _ in range(16)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 15
    assert len(await desk.entries()) == 1


async def test_there_are_only_so_many(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MAX_ROLES", 5)
    await desk.make()
    answers = await asyncio.gather(*(desk.call("POST", PATH, {"name": f"role{n}"}) for n in range(16)))
    assert sorted(answer.status_code for answer in answers) == [201] * 4 + [409] * 12
    assert {error_of(answer)[1] for answer in answers if answer.is_error} == {"role_limit_reached"}
    assert len((await desk.call("GET", PATH)).json()["data"]) == len(BUILT_IN) + 5


async def test_16_that_give_a_role_and_one_that_deletes_it(desk: Desk) -> None:
    made = await desk.make()

    def give(number: int) -> Any:
        return desk.call("POST", "/v1/users", {"email": f"u{number}@example.com", "role": "editor"})

    answers = await asyncio.gather(
        *(give(n) for n in range(8)), desk.call("DELETE", f"{PATH}/{made['id']}"), *(give(n) for n in range(8, 16))
    )
    deleted = answers.pop(8)
    given = sum(answer.is_success for answer in answers)
    assert (deleted.status_code == 204) is (given == 0)
    holders = (await desk.call("GET", "/v1/users?role=editor")).json()["pagination"]["total"]
    assert holders == given
    assert (await desk.call("GET", f"{PATH}/{made['id']}")).is_success is (given > 0)


ACTS: Final = [
    ("POST", "/v1/users/{user}/disable", None),
    ("PATCH", "/v1/users/{user}", {"name": "B"}),
    ("POST", "/v1/admin/users/bulk-ban", {"user_ids": ["{user}"]}),
    ("POST", "/v1/admin/users/impersonate", {"user_id": "{user}", "reason": "ticket"}),
]


@pytest.mark.parametrize("act", range(len(ACTS)))
async def test_no_act_follows_the_change_that_made_a_role_privileged(desk: Desk, act: int) -> None:
    """Acts by a key that may not manage administrators: all come before the change, or are refused."""
    made = await desk.make()
    users = [await desk.make_user(f"u{n}") for n in range(16)]
    method, path, body = ACTS[act]

    def do(user: str) -> Any:
        filled = None if body is None else {
            name: [user] if value == ["{user}"] else user if value == "{user}" else value
            for name, value in body.items()
        }  # fmt: skip
        return desk.call(method, path.replace("{user}", user), filled, key=desk.lesser)

    calls = [do(user) for user in users]
    calls.insert(8, desk.call("PATCH", f"{PATH}/{made['id']}", {"privileged": True}))
    answers = await asyncio.gather(*calls)
    assert answers.pop(8).is_success
    kinds = [
        entry["type"]
        for entry in (await desk.call("GET", "/v1/audit-logs?limit=200")).json()["data"][::-1]
        if entry["type"] in {"role.updated", "user.disabled", "user.updated", "user.banned", "user.impersonated"}
    ]
    assert kinds[-1] == "role.updated"
    done = [answer for answer in answers if answer.is_success and "refused" not in answer.json()]
    assert len(done) == len(kinds) - 1
    late = await do(users[0])
    assert late.status_code == httpx.codes.FORBIDDEN or [one["id"] for one in late.json()["refused"]] == users[:1]
