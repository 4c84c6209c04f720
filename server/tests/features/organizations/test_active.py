"""The organization that a user is active in, on both stores: in the access token, until the membership ends."""

import asyncio
import base64
from typing import Any, Final

import httpx
import msgspec

from tests.features.auth.parts import Front, SignedIn
from tests.features.organizations.parts import PATH, Desk, error_of

ABSENT: Final = object()


def claims_of(token: str) -> tuple[str | None, str | None]:
    """Return what a token says of an organization."""
    body = token.split(".")[1]
    claims = msgspec.json.decode(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return claims.get("org_id"), claims.get("org_role")


class Person:
    """Somebody who is signed in and keeps the newest tokens."""

    def __init__(self, desk: Desk, signed_in: SignedIn) -> None:
        self.desk = desk
        self.id = signed_in.user_id
        self.session_id = signed_in.session_id
        self.access = signed_in.access
        self.refresh_token = signed_in.refresh

    async def refresh(self, organization_id: Any = ABSENT) -> httpx.Response:
        body = {"refresh_token": self.refresh_token}
        if organization_id is not ABSENT:
            body["organization_id"] = organization_id
        answer = await self.desk.front.post("token/refresh", body)
        if answer.is_success:
            session = answer.json()["session"]
            self.access, self.refresh_token = session["access_token"], session["refresh_token"]
            assert session.get("organization_id") == claims_of(self.access)[0]
        return answer

    async def me(self) -> tuple[int, str]:
        """Return what a request with the newest access token is answered."""
        answer = await self.desk.call("GET", "/v1/auth/me", key=self.access)
        return answer.status_code, "" if answer.is_success else answer.json()["error"]["code"]


async def member(desk: Desk, front: Front, role: str = "member") -> tuple[Person, str]:
    """Return somebody who is a member of an organization."""
    person = Person(desk, await front.sign_up())
    organization = str((await desk.make())["id"])
    await desk.add(organization, person.id, role)
    return person, organization


async def test_a_user_is_active_where_the_user_asks_to_be(desk: Desk, front: Front) -> None:
    person, first = await member(desk, front, "admin")
    second = str((await desk.make("B"))["id"])
    await desk.add(second, person.id)
    assert claims_of(person.access) == (None, None)
    before = person.access
    await person.refresh(first)
    assert claims_of(person.access) == (first, "admin")
    assert await person.me() == (200, "")
    assert (await desk.call("GET", "/v1/auth/me", key=before)).status_code == 200
    await person.refresh()
    assert claims_of(person.access) == (first, "admin")
    shown = (await desk.call("GET", f"/v1/sessions/{person.session_id}")).json()
    assert shown["organization_id"] == first
    at_first = person.access
    await person.refresh(second)
    assert claims_of(person.access) == (second, "member")
    assert error_of(await desk.call("GET", "/v1/auth/me", key=at_first)) == (401, "token_stale", [])
    await person.refresh(None)
    assert claims_of(person.access) == (None, None)


async def test_nobody_is_active_where_the_user_is_no_member(desk: Desk, front: Front) -> None:
    person, organization = await member(desk, front)
    await person.refresh(organization)
    elsewhere = str((await desk.make("B"))["id"])
    for wrong in (elsewhere, "org_x", ""):
        assert error_of(await person.refresh(wrong)) == (404, "organization_not_found", [])
    assert (await person.refresh()).status_code == 200  # nothing was used up
    assert claims_of(person.access) == (organization, "member")


async def test_a_bad_refresh_token_tells_nothing_of_memberships(desk: Desk, front: Front) -> None:
    person, organization = await member(desk, front)
    used = person.refresh_token
    await person.refresh()
    for where in (organization, "org_x"):
        person.refresh_token = used
        assert error_of(await person.refresh(where))[:2] == (401, "refresh_token_reused")


async def test_the_end_of_a_membership_is_felt_at_once(desk: Desk, front: Front) -> None:
    person, organization = await member(desk, front)
    path = f"{PATH}/{organization}/members/{person.id}"
    await person.refresh(organization)
    await desk.call("PATCH", path, {"role": "admin"})
    assert await person.me() == (401, "token_stale")
    await person.refresh()
    assert claims_of(person.access) == (organization, "admin")
    await desk.call("DELETE", path)
    assert await person.me() == (401, "token_stale")
    verified = (await desk.call("POST", "/v1/sessions/verify", {"token": person.access})).json()
    assert verified == {"valid": False, "reason": "token_stale"}
    await person.refresh()
    assert claims_of(person.access) == (None, None)
    assert await person.me() == (200, "")


async def test_leaving_and_deleting_end_it_as_well(desk: Desk, front: Front) -> None:
    person, organization = await member(desk, front)
    await person.refresh(organization)
    left = await desk.call("DELETE", f"/v1/auth/organizations/{organization}", key=person.access)
    assert left.status_code == 204
    assert await person.me() == (401, "token_stale")
    await desk.add(organization, person.id)
    await person.refresh(organization)
    await desk.call("DELETE", f"{PATH}/{organization}")
    assert await person.me() == (401, "token_stale")
    await person.refresh()
    assert claims_of(person.access) == (None, None)


async def test_others_stay_where_they_are(desk: Desk, front: Front) -> None:
    person, organization = await member(desk, front)
    other = Person(desk, await front.sign_up("bob@example.com"))
    await desk.add(organization, other.id)
    await person.refresh(organization)
    await other.refresh(organization)
    await desk.call("DELETE", f"{PATH}/{organization}/members/{person.id}")
    assert await other.me() == (200, "")
    assert await person.me() == (401, "token_stale")


async def test_no_token_outlives_a_membership_that_ends_meanwhile(desk: Desk, front: Front) -> None:
    """Sixteen sessions ask to be active while the membership ends: whoever was in time is stale at the next request."""
    _, organization = await member(desk, front)
    people = [Person(desk, await front.sign_in()) for _ in range(16)]
    calls: list[Any] = [person.refresh(organization) for person in people]
    calls.insert(8, desk.call("DELETE", f"{PATH}/{organization}/members/{people[0].id}"))
    answers = await asyncio.gather(*calls)
    assert answers.pop(8).status_code == 204
    for person, answer in zip(people, answers, strict=True):
        if answer.is_success:
            assert await person.me() == (401, "token_stale")
        else:
            assert error_of(answer) == (404, "organization_not_found", [])


async def test_an_impersonation_is_in_no_organization(desk: Desk, front: Front) -> None:
    person, organization = await member(desk, front)
    await person.refresh(organization)
    body = {"user_id": person.id, "reason": "ticket 8842"}
    token = (await desk.call("POST", "/v1/admin/users/impersonate", body)).json()["access_token"]
    assert claims_of(token) == (None, None)
    listed = await desk.call("GET", "/v1/auth/organizations", key=token)
    assert [belonging["id"] for belonging in listed.json()["data"]] == [organization]
    refused = await desk.call("DELETE", f"/v1/auth/organizations/{organization}", key=token)
    assert error_of(refused)[:2] == (403, "impersonation_forbidden")
