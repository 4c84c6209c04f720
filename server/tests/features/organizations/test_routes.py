"""Organizations over HTTP on both stores: made, listed, changed, deleted."""

import asyncio
from typing import Any

import pytest

from hellojohn_server.features.organizations import service
from tests.features.organizations.parts import PATH, Desk, error_of


async def test_an_organization_is_made_changed_and_deleted(desk: Desk) -> None:
    answer = await desk.call("POST", PATH, {"name": "Ægir Boatyard", "metadata": {"plan": "pro", "gone": None}})
    made = answer.json()
    path = f"{PATH}/{made['id']}"
    expected = {
        "id": made["id"],
        "name": "Ægir Boatyard",
        "slug": "boatyard",
        "metadata": {"plan": "pro"},
        "created_at": "2026-09-21T14:13:20.000Z",
        "updated_at": "2026-09-21T14:13:20.000Z",
        "version": 1,
    }
    assert (answer.status_code, made) == (201, expected)
    assert (answer.headers["location"], answer.headers["etag"]) == (path, '"1"')
    body = {"name": "Aegir", "slug": "aegir", "metadata": {"plan": None, "seats": 5}}
    changed = await desk.call("PATCH", path, body)
    expected |= {"name": "Aegir", "slug": "aegir", "metadata": {"seats": 5}, "version": 2}
    assert (changed.json(), changed.headers["etag"]) == (expected, '"2"')
    assert (await desk.call("PATCH", path, {"name": "Aegir", "metadata": {"plan": None}})).json() == expected
    assert (await desk.call("GET", path)).json() == expected
    for method, wrong in (("PATCH", {"name": "B"}), ("DELETE", None)):
        assert error_of(await desk.call(method, path, wrong, **{"If-Match": '"1"'}))[0] == 412
    user = await desk.make_user("a")
    await desk.add(made["id"], user)
    assert (await desk.call("DELETE", path)).status_code == 204
    assert error_of(await desk.call("GET", path)) == (404, "organization_not_found", [])
    assert (await desk.call("GET", f"/v1/users/{user}/organizations")).json()["data"] == []
    assert (await desk.call("GET", f"/v1/users/{user}")).status_code == 200
    told = await desk.entries()
    assert [(entry["type"], entry["resource"]["id"]) for entry in told] == [
        ("organization.created", made["id"]),
        ("organization.updated", made["id"]),
        ("organization.member_added", user),
        ("organization.deleted", made["id"]),
    ]
    assert {entry["organization_id"] for entry in told} == {made["id"]}
    assert told[0]["changes"] == {
        "name": [None, "Ægir Boatyard"],
        "slug": [None, "boatyard"],
        "metadata.plan": [None, "pro"],
    }
    assert told[1]["changes"] == {
        "name": ["Ægir Boatyard", "Aegir"],
        "slug": ["boatyard", "aegir"],
        "metadata.plan": ["pro", None],
        "metadata.seats": [None, 5],
    }
    assert told[3]["metadata"] == {"members": 1}


async def test_a_slug_comes_from_the_name_and_is_of_one_organization(desk: Desk) -> None:
    first, second = await desk.make("Acme, Inc."), await desk.make("ACME inc")
    assert (first["slug"], second["slug"]) == ("acme-inc", f"acme-inc-{second['id'][-8:].lower()}")
    other = await desk.make("さくら書房")
    assert other["slug"] == f"org-{other['id'][-8:].lower()}"
    assert len((await desk.make("a" * 200))["slug"]) == 63
    assert error_of(await desk.call("POST", PATH, {"name": "X", "slug": "acme-inc"})) == (
        409,
        "slug_already_exists",
        [],
    )
    changed = await desk.call("PATCH", f"{PATH}/{second['id']}", {"slug": "acme-inc"})
    assert error_of(changed) == (409, "slug_already_exists", [])
    answers = await asyncio.gather(*(desk.call("POST", PATH, {"name": "Y", "slug": "y"}) for _ in range(16)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 15
    unnamed = await asyncio.gather(*(desk.call("POST", PATH, {"name": "Same"}) for _ in range(16)))
    assert {answer.status_code for answer in unnamed} == {201}
    assert len({answer.json()["slug"] for answer in unnamed}) == 16


async def test_organizations_are_listed_by_name_page_by_page(desk: Desk) -> None:
    names = ["Zeta", "alpha", "Ålesund", "Beta", "alpine", "Alpha"]
    for name in names:
        await desk.make(name)

    async def listed(query: str) -> list[str]:
        found: list[str] = []
        cursor = ""
        while True:
            page = (await desk.call("GET", f"{PATH}?limit=2{query}{cursor}")).json()
            found += [organization["name"] for organization in page["data"]]
            if not page["pagination"]["has_more"]:
                assert page["pagination"]["total"] == len(found)
                return found
            cursor = f"&cursor={page['pagination']['next_cursor']}"
            wrong = await desk.call("GET", f"{PATH}?limit=2&query=zz{cursor}")
            assert error_of(wrong)[1] == "invalid_cursor"

    assert await listed("") == ["Ålesund", "alpha", "Alpha", "alpine", "Beta", "Zeta"]
    assert await listed("&query=ALP") == ["alpha", "Alpha", "alpine"]
    assert await listed("&query=ale") == ["Ålesund"]
    assert await listed("&query=%20%20beta%20") == ["Beta"]
    assert await listed("&query=eta") == []


@pytest.mark.parametrize(
    ("body", "details"),
    [
        ({}, [("name", "required")]),
        ({"name": "  "}, [("name", "invalid")]),
        ({"name": "a\tb"}, [("name", "invalid")]),
        ({"name": "a" * 201}, [("name", "too_long")]),
        ({"name": "a", "slug": "A"}, [("slug", "invalid")]),
        ({"name": "a", "slug": "a--b"}, [("slug", "invalid")]),
        ({"name": "a", "slug": "a" * 64}, [("slug", "too_long")]),
        ({"name": "a", "metadata": {"x": "y" * 16_384}}, [("metadata", "too_long")]),
        ({"name": "a", "owner": "x"}, [("owner", "unknown")]),
    ],
)
async def test_what_is_wrong_is_said(desk: Desk, body: dict[str, Any], details: list[tuple[str, str]]) -> None:
    status, code, found = error_of(await desk.call("POST", PATH, body))
    assert (status, code, [field for field, _ in found]) == (422, "validation_failed", [name for name, _ in details])


async def test_metadata_has_its_size_also_when_merged(desk: Desk) -> None:
    made = await desk.make(metadata={"a": "x" * 9_000})
    answer = await desk.call("PATCH", f"{PATH}/{made['id']}", {"metadata": {"b": "x" * 9_000}})
    assert error_of(answer) == (422, "validation_failed", [("metadata", "too_long")])


async def test_another_tenant_sees_nothing(desk: Desk) -> None:
    made = await desk.make()
    user = await desk.make_user("a")
    await desk.add(made["id"], user)
    other = await desk.app.make_key(await desk.app.make_tenant("Other"))
    path = f"{PATH}/{made['id']}"
    calls: list[tuple[str, str, Any]] = [
        ("GET", path, None),
        ("PATCH", path, {"name": "B"}),
        ("DELETE", path, None),
        ("GET", f"{path}/members", None),
        ("POST", f"{path}/members", {"user_id": user}),
        ("PATCH", f"{path}/members/{user}", {"role": "owner"}),
        ("DELETE", f"{path}/members/{user}", None),
    ]
    for method, where, body in calls:
        assert error_of(await desk.call(method, where, body, key=other)) == (404, "organization_not_found", [])
    listed = (await desk.call("GET", PATH, key=other)).json()
    assert (listed["data"], listed["pagination"]["total"]) == ([], 0)
    assert await desk.members(made["id"]) == [(user, "member")]
    assert error_of(await desk.call("GET", f"{PATH}/org_x"))[1] == "organization_not_found"


async def test_many_members_go_with_their_organization(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "_AT_A_TIME", 2)
    made = await desk.make()
    for number in range(5):
        await desk.add(made["id"], await desk.make_user(f"u{number}"))
    assert (await desk.call("DELETE", f"{PATH}/{made['id']}")).status_code == 204
    assert (await desk.entries("organization.deleted"))[0]["metadata"] == {"members": 5}
    found = await desk.call("GET", f"/v1/users?organization_id={made['id']}")
    assert found.json()["pagination"]["total"] == 0
