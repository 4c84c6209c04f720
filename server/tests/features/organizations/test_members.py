"""Members over HTTP on both stores: added, given roles, removed and gone; an owner stays."""

import asyncio
from typing import Any

import httpx

from tests.features.auth.parts import Front
from tests.features.organizations.parts import PATH, Desk, error_of


async def test_a_member_comes_is_given_a_role_and_goes(desk: Desk) -> None:
    organization = (await desk.make())["id"]
    user = await desk.make_user("a")
    path = f"{PATH}/{organization}/members"
    answer = await desk.call("POST", path, {"user_id": user, "reason": "hired"})
    expected = {
        "user_id": user,
        "email": "a@example.com",
        "name": "a",
        "role": "member",
        "joined_at": "2026-09-21T14:13:20.000Z",
    }
    assert (answer.status_code, answer.json()) == (201, expected)
    assert error_of(await desk.call("POST", path, {"user_id": user})) == (409, "already_member", [])
    expected["role"] = "admin"
    changed = await desk.call("PATCH", f"{path}/{user}", {"role": "admin", "reason": "promoted"})
    assert (changed.status_code, changed.json()) == (200, expected)
    assert (await desk.call("PATCH", f"{path}/{user}", {"role": "admin"})).json() == expected
    assert (await desk.call("GET", path)).json()["data"] == [expected]
    assert (await desk.call("GET", f"/v1/users/{user}/organizations")).json()["data"] == [
        {"id": organization, "name": "Acme", "slug": "acme", "role": "admin", "joined_at": expected["joined_at"]}
    ]
    assert (await desk.call("DELETE", f"{path}/{user}", {"reason": "left"})).status_code == 204
    assert await desk.members(organization) == []
    for method, body in (("PATCH", {"role": "member"}), ("DELETE", None)):
        assert error_of(await desk.call(method, f"{path}/{user}", body)) == (404, "member_not_found", [])
    told = (await desk.entries("organization.*"))[1:]
    assert [(entry["type"], entry["reason"], entry["changes"]) for entry in told] == [
        ("organization.member_added", "hired", {"role": [None, "member"]}),
        ("organization.member_updated", "promoted", {"role": ["member", "admin"]}),
        ("organization.member_removed", "left", {"role": ["admin", None]}),
    ]
    assert {(entry["organization_id"], entry["resource"]["id"]) for entry in told} == {(organization, user)}


async def test_users_are_found_by_their_organization_after_each_change(desk: Desk) -> None:
    first, second = (await desk.make())["id"], (await desk.make("B"))["id"]
    user = await desk.make_user("alice")

    async def found(organization: str) -> list[int]:
        listed = (await desk.call("GET", f"/v1/users?organization_id={organization}")).json()
        body = {"query": "alice", "filters": {"organization_id": organization}}
        searched = (await desk.call("POST", "/v1/admin/users/search", body)).json()
        return [page["pagination"]["total"] for page in (listed, searched)]

    assert [await found(first), await found(second)] == [[0, 0], [0, 0]]
    await desk.add(first, user)
    assert [await found(first), await found(second)] == [[1, 1], [0, 0]]
    await desk.call("PATCH", f"{PATH}/{first}/members/{user}", {"role": "admin"})
    await desk.add(second, user)
    assert [await found(first), await found(second)] == [[1, 1], [1, 1]]
    await desk.call("DELETE", f"{PATH}/{first}/members/{user}")
    await desk.call("DELETE", f"{PATH}/{second}")
    assert [await found(first), await found(second)] == [[0, 0], [0, 0]]


async def test_only_users_who_are_there_come_in_and_are_shown(desk: Desk) -> None:
    organization = (await desk.make())["id"]
    path = f"{PATH}/{organization}/members"
    gone, kept = await desk.make_user("gone"), await desk.make_user("kept")
    await desk.add(organization, gone)
    await desk.add(organization, kept)
    await desk.call("DELETE", f"/v1/users/{gone}")
    assert await desk.members(organization) == [(kept, "member")]
    await desk.call("POST", f"/v1/users/{gone}/restore")
    assert len(await desk.members(organization)) == 2
    await desk.call("DELETE", f"/v1/users/{gone}?permanent=true")
    assert await desk.members(organization) == [(kept, "member")]
    assert error_of(await desk.call("POST", path, {"user_id": gone})) == (404, "user_not_found", [])
    assert error_of(await desk.call("POST", path, {"user_id": "x"})) == (404, "user_not_found", [])
    binned = await desk.make_user("binned")
    await desk.call("DELETE", f"/v1/users/{binned}")
    assert error_of(await desk.call("POST", path, {"user_id": binned})) == (409, "user_deleted", [])
    added = [entry for entry in await desk.entries("organization.member_added") if entry["resource"]["id"] == gone]
    assert [(entry["personal_data_erased"], entry["changes"]) for entry in added] == [(True, None)]


async def test_members_are_listed_page_by_page_and_by_role(desk: Desk) -> None:
    organization = (await desk.make())["id"]
    users = [await desk.make_user(f"u{number}") for number in range(5)]
    for number, user in enumerate(users[::-1]):
        await desk.add(organization, user, "admin" if number % 2 else "member")
    found: list[str] = []
    cursor = ""
    while True:
        page = (await desk.call("GET", f"{PATH}/{organization}/members?limit=2{cursor}")).json()
        assert page["pagination"]["total"] == 5
        found += [member["user_id"] for member in page["data"]]
        if not page["pagination"]["has_more"]:
            break
        cursor = f"&cursor={page['pagination']['next_cursor']}"
    assert found == users
    assert await desk.members(organization, "&role=admin") == [(users[1], "admin"), (users[3], "admin")]
    mine = (await desk.call("GET", f"/v1/users/{users[0]}/organizations?limit=1")).json()
    assert mine["pagination"]["total"] == 1


async def test_members_have_the_roles_of_members(desk: Desk) -> None:
    organization = (await desk.make())["id"]
    user = await desk.make_user("a")
    path = f"{PATH}/{organization}/members"
    await desk.call("POST", "/v1/roles", {"name": "editor"})
    role = (await desk.call("POST", "/v1/roles", {"name": "billing", "scope": "organization"})).json()
    for wrong in ("editor", "super_admin", "nothing"):
        answer = await desk.call("POST", path, {"user_id": user, "role": wrong})
        assert error_of(answer) == (422, "validation_failed", [("role", "unknown")])
    await desk.add(organization, user, "billing")
    wrong_change = await desk.call("PATCH", f"{path}/{user}", {"role": "editor"})
    assert error_of(wrong_change) == (422, "validation_failed", [("role", "unknown")])
    assert error_of(await desk.call("DELETE", f"/v1/roles/{role['id']}")) == (409, "role_in_use", [])
    await desk.call("PATCH", f"{path}/{user}", {"role": "member"})
    assert (await desk.call("DELETE", f"/v1/roles/{role['id']}")).status_code == 204


async def test_the_last_owner_stays(desk: Desk) -> None:
    organization = (await desk.make())["id"]
    first, second = await desk.make_user("first"), await desk.make_user("second")
    path = f"{PATH}/{organization}/members"
    await desk.add(organization, first, "owner")
    await desk.add(organization, second)
    for method, body in (("PATCH", {"role": "admin"}), ("DELETE", None)):
        assert error_of(await desk.call(method, f"{path}/{first}", body)) == (409, "last_owner", [])
    await desk.call("PATCH", f"{path}/{second}", {"role": "owner"})
    await desk.call("DELETE", f"/v1/users/{second}")
    assert error_of(await desk.call("DELETE", f"{path}/{first}")) == (409, "last_owner", [])
    await desk.call("POST", f"/v1/users/{second}/restore")
    assert (await desk.call("DELETE", f"{path}/{first}")).status_code == 204
    assert await desk.members(organization) == [(second, "owner")]
    assert (await desk.call("DELETE", f"{PATH}/{organization}")).status_code == 204


async def test_of_16_owners_who_go_at_once_one_stays(desk: Desk) -> None:
    organization = (await desk.make())["id"]
    users = [await desk.make_user(f"u{number}") for number in range(16)]
    for user in users:
        await desk.add(organization, user, "owner")
    path = f"{PATH}/{organization}/members"

    def go(number: int) -> Any:
        body = {"role": "member"} if number % 2 else None
        return desk.call("PATCH" if number % 2 else "DELETE", f"{path}/{users[number]}", body)

    answers: list[httpx.Response] = await asyncio.gather(*(go(number) for number in range(16)))
    refused = [error_of(answer) for answer in answers if answer.is_error]
    assert refused == [(409, "last_owner", [])]
    assert [role for _, role in await desk.members(organization)].count("owner") == 1


async def test_of_16_at_once_one_adds_a_member(desk: Desk) -> None:
    organization = (await desk.make())["id"]
    user = await desk.make_user("a")
    path = f"{PATH}/{organization}/members"
    answers = await asyncio.gather(*(desk.call("POST", path, {"user_id": user}) for _ in range(16)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 15
    assert len(await desk.entries("organization.member_added")) == 1


async def test_of_16_at_once_one_removes_a_member(desk: Desk) -> None:
    organization = (await desk.make())["id"]
    user = await desk.make_user("a")
    await desk.add(organization, user)
    path = f"{PATH}/{organization}/members/{user}"
    answers = await asyncio.gather(*(desk.call("DELETE", path) for _ in range(16)))
    assert sorted(answer.status_code for answer in answers) == [204] + [404] * 15
    assert len(await desk.entries("organization.member_removed")) == 1


async def test_who_is_erased_while_being_added_leaves_nothing(desk: Desk) -> None:
    organization = (await desk.make())["id"]
    users = [await desk.make_user(f"u{number}") for number in range(8)]
    path = f"{PATH}/{organization}/members"
    await asyncio.gather(
        *(desk.call("POST", path, {"user_id": user}) for user in users),
        *(desk.call("DELETE", f"/v1/users/{user}?permanent=true") for user in users),
    )
    for user in users:
        body = {"role": "admin"}
        assert error_of(await desk.call("PATCH", f"{path}/{user}", body)) == (404, "member_not_found", [])


async def test_a_user_sees_and_leaves_the_own_organizations(desk: Desk, front: Front) -> None:
    alice, bob = await front.sign_up(), await front.sign_up("bob@example.com")
    organization, other = (await desk.make())["id"], (await desk.make("B"))["id"]
    await desk.add(organization, alice.user_id)
    await desk.add(organization, bob.user_id, "owner")
    await desk.add(other, bob.user_id)

    async def own(token: str) -> list[tuple[str, str]]:
        page = (await desk.call("GET", "/v1/auth/organizations", key=token)).json()
        return [(belonging["id"], belonging["role"]) for belonging in page["data"]]

    assert await own(alice.access) == [(organization, "member")]
    assert await own(bob.access) == [(organization, "owner"), (other, "member")]
    path = "/v1/auth/organizations"
    for nowhere in (other, "org_x"):
        answer = await desk.call("DELETE", f"{path}/{nowhere}", key=alice.access)
        assert error_of(answer) == (404, "organization_not_found", [])
    assert error_of(await desk.call("DELETE", f"{path}/{organization}", key=bob.access)) == (409, "last_owner", [])
    assert (await desk.call("DELETE", f"{path}/{organization}", key=alice.access)).status_code == 204
    assert await own(alice.access) == []
    [entry] = await desk.entries("organization.member_removed")
    assert (entry["actor"]["id"], entry["resource"]["id"]) == (alice.user_id, alice.user_id)
