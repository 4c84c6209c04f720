"""Invitations over HTTP on both stores: mailed, accepted once, sent again, revoked, expired."""

import asyncio
import re
from typing import Any, Final

import httpx
import pytest

from hellojohn_server.features.invitations import service
from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.ids import IdFactory
from hellojohn_server.kit.mail import Mail, MailServerDown
from hellojohn_server.storage.database import Database
from hellojohn_server.storage.sql import Statement
from tests.conftest import ManualClock
from tests.features.auth.parts import PASSWORD, Front, kept
from tests.features.invitations.conftest import JOIN_PAGE
from tests.features.organizations.parts import PATH, Desk, error_of
from tests.features.users.parts import UserParts
from tests.support import running_app

LIST_ANSWERS: Final = Statement("SELECT answer FROM idempotency_records WHERE tenant_id = :tenant_id")
LIST_INVITATIONS: Final = Statement(
    "SELECT email, token_hash FROM organization_invitations WHERE tenant_id = :tenant_id"
)
DAY: Final = 86_400
ACCEPT: Final = "/v1/auth/organization-invitations/accept"


async def invite(desk: Desk, organization: str, email: str = "bob@example.com", **more: Any) -> httpx.Response:
    return await desk.call("POST", f"{PATH}/{organization}/invitations", {"email": email, **more})


async def invitations(desk: Desk) -> list[Mail]:
    """Return every invitation that was mailed: who signs up is mailed as well."""
    return [mail for mail in await desk.app.mails() if JOIN_PAGE in mail.text]


async def token_mailed(desk: Desk, to: str = "bob@example.com") -> str:
    """Return the secret in the newest invitation that was mailed to an address."""
    mail = [mail for mail in await invitations(desk) if mail.to == to][-1]
    found = re.search(r"token=(act_\w+)", mail.text)
    assert found is not None
    return found.group(1)


async def sign_up(desk: Desk, token: str, **more: Any) -> httpx.Response:
    return await desk.front.post("organization-invitations/sign-up", {"token": token, "password": PASSWORD, **more})


async def accept(desk: Desk, access: str, token: str) -> httpx.Response:
    return await desk.call("POST", ACCEPT, {"token": token}, key=access)


async def verified_user(desk: Desk, front: Front, email: str = "bob@example.com") -> tuple[str, str]:
    """Return the id and an access token of somebody whose address is verified."""
    signed_up = await front.sign_up(email)
    await desk.call("PATCH", f"/v1/users/{signed_up.user_id}", {"email_verified": True})
    return signed_up.user_id, signed_up.access


async def test_who_is_no_user_yet_signs_up_by_it(desk: Desk) -> None:
    organization = (await desk.make("Aurora Foods"))["id"]
    answer = await invite(desk, organization, "Bob@example.com", role="admin", reason="hired")
    made = answer.json()
    assert (answer.status_code, made) == (
        201,
        {
            "id": made["id"],
            "organization_id": organization,
            "email": "Bob@example.com",
            "role": "admin",
            "invited_by": made["invited_by"],
            "created_at": "2026-09-21T14:13:20.000Z",
            "sent_at": "2026-09-21T14:13:20.000Z",
            "expires_at": "2026-09-28T14:13:20.000Z",
        },
    )
    assert (await desk.call("GET", f"{PATH}/{organization}/invitations")).json()["data"] == [made]
    token = await token_mailed(desk, "Bob@example.com")
    assert "Aurora Foods" in (await desk.app.mails())[-1].text
    joined = await sign_up(desk, token, name="Bob")
    signed_in = kept(joined, 201)
    user = joined.json()["user"]
    assert (user["email"], user["email_verified"], user["name"]) == ("Bob@example.com", True, "Bob")
    assert user["last_sign_in_at"] == "2026-09-21T14:13:20.000Z"
    assert await desk.members(organization) == [(signed_in.user_id, "admin")]
    assert (await desk.call("GET", f"{PATH}/{organization}/invitations")).json()["data"] == []
    assert (await desk.call("GET", "/v1/auth/me", key=signed_in.access)).status_code == 200
    assert error_of(await sign_up(desk, token)) == (401, "link_invalid", [])
    told = await desk.entries()
    assert [(entry["type"], entry["resource"]["type"]) for entry in told[1:]] == [
        ("organization.invitation_created", "invitation"),
        ("organization.member_added", "user"),
    ]
    assert (told[1]["reason"], told[1]["metadata"]) == ("hired", {"role": "admin"})
    assert told[2]["metadata"] == {"invitation_id": made["id"]}
    assert told[2]["actor"]["id"] == signed_in.user_id
    assert "bob@" not in str(told[1]).lower()


async def test_a_user_accepts_with_the_own_verified_address(desk: Desk, front: Front) -> None:
    organization = (await desk.make())["id"]
    user_id, access = await verified_user(desk, front)
    _, stranger = await verified_user(desk, front, "carol@example.com")
    await invite(desk, organization)
    token = await token_mailed(desk)
    assert error_of(await accept(desk, stranger, token)) == (409, "invitation_elsewhere", [])
    assert error_of(await sign_up(desk, token)) == (409, "email_already_exists", [])
    joined = await accept(desk, access, token)
    assert (joined.status_code, joined.json()) == (
        200,
        {
            "id": organization,
            "name": "Acme",
            "slug": "acme",
            "role": "member",
            "joined_at": "2026-09-21T14:13:20.000Z",
        },
    )
    assert await desk.members(organization) == [(user_id, "member")]
    assert error_of(await accept(desk, access, token)) == (401, "link_invalid", [])


async def test_an_address_that_is_not_verified_is_not_enough(desk: Desk, front: Front) -> None:
    organization = (await desk.make())["id"]
    bob = await front.sign_up("bob@example.com")
    await invite(desk, organization)
    token = await token_mailed(desk)
    assert error_of(await accept(desk, bob.access, token)) == (409, "invitation_elsewhere", [])
    assert await desk.members(organization) == []


async def test_a_member_is_told_so_and_nothing_is_used_up(desk: Desk, front: Front) -> None:
    organization = (await desk.make())["id"]
    user_id, access = await verified_user(desk, front)
    assert (await invite(desk, organization)).status_code == 201
    await desk.add(organization, user_id)
    token = await token_mailed(desk)
    assert error_of(await accept(desk, access, token)) == (409, "already_member", [])
    await desk.call("DELETE", f"{PATH}/{organization}/members/{user_id}")
    assert (await accept(desk, access, token)).status_code == 200


async def test_the_answer_is_the_same_whoever_has_the_address(desk: Desk, front: Front) -> None:
    organization = (await desk.make())["id"]
    user_id, _ = await verified_user(desk, front)
    await desk.add(organization, user_id)
    binned = await desk.make_user("binned")
    await desk.call("DELETE", f"/v1/users/{binned}")
    answers = [
        await invite(desk, organization, email)
        for email in ("bob@example.com", "binned@example.com", "nobody@example.com")
    ]
    assert {(answer.status_code, frozenset(answer.json())) for answer in answers} == {
        (201, frozenset(answers[0].json()))
    }
    sent = sorted(mail.to for mail in await invitations(desk))
    assert sent == sorted(answer.json()["email"] for answer in answers)


async def test_an_address_is_invited_once(desk: Desk) -> None:
    organization, other = (await desk.make())["id"], (await desk.make("B"))["id"]
    answers = await asyncio.gather(*(invite(desk, organization) for _ in range(16)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 15
    assert error_of(await invite(desk, organization, "BOB@example.com")) == (409, "invitation_already_exists", [])
    assert (await invite(desk, other)).status_code == 201
    assert len(await desk.app.mails()) == 2


async def test_there_are_only_so_many(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MAX_INVITATIONS", 4)
    organization = (await desk.make())["id"]
    answers = await asyncio.gather(*(invite(desk, organization, f"u{number}@example.com") for number in range(16)))
    assert sorted(answer.status_code for answer in answers) == [201] * 4 + [409] * 12
    assert {error_of(answer)[1] for answer in answers if answer.is_error} == {"invitation_limit_reached"}
    page = (await desk.call("GET", f"{PATH}/{organization}/invitations?limit=3")).json()
    assert (page["pagination"]["total"], len(page["data"])) == (4, 3)
    rest = await desk.call(
        "GET", f"{PATH}/{organization}/invitations?limit=3&cursor={page['pagination']['next_cursor']}"
    )
    assert len(rest.json()["data"]) == 1


async def test_sent_again_the_link_before_is_good_no_more(desk: Desk, clock: ManualClock) -> None:
    organization = (await desk.make())["id"]
    made = (await invite(desk, organization)).json()
    first = await token_mailed(desk)
    clock.advance(6 * DAY)
    path = f"{PATH}/{organization}/invitations/{made['id']}"
    again = await desk.call("POST", f"{path}/resend", {"reason": "asked"})
    assert again.json() == {**made, "sent_at": "2026-09-27T14:13:20.000Z", "expires_at": "2026-10-04T14:13:20.000Z"}
    second = await token_mailed(desk)
    assert error_of(await sign_up(desk, first)) == (401, "link_invalid", [])
    clock.advance(6 * DAY)
    assert (await sign_up(desk, second)).status_code == 201
    assert error_of(await desk.call("POST", f"{path}/resend")) == (404, "invitation_not_found", [])
    assert (await desk.entries("organization.invitation_resent"))[0]["reason"] == "asked"


async def test_revoked_and_expired_ones_are_good_no_more(desk: Desk, clock: ManualClock) -> None:
    organization = (await desk.make())["id"]
    made = (await invite(desk, organization)).json()
    token = await token_mailed(desk)
    path = f"{PATH}/{organization}/invitations/{made['id']}"
    assert (await desk.call("DELETE", path, {"reason": "a mistake"})).status_code == 204
    assert error_of(await desk.call("DELETE", path)) == (404, "invitation_not_found", [])
    assert error_of(await sign_up(desk, token)) == (401, "link_invalid", [])
    await invite(desk, organization)
    token = await token_mailed(desk)
    clock.advance(7 * DAY)
    assert error_of(await sign_up(desk, token)) == (401, "link_expired", [])
    assert (await desk.call("GET", f"{PATH}/{organization}/invitations")).json()["data"] == []
    assert (await invite(desk, organization)).status_code == 201
    await invite(desk, organization, "carol@example.com")
    clock.advance(7 * DAY)
    await desk.app.services.invitations.purge_expired(desk.tenant_id, clock.now_ms())
    assert error_of(await sign_up(desk, await token_mailed(desk, "carol@example.com"))) == (401, "link_invalid", [])


async def test_of_16_at_once_with_one_link_one_joins(desk: Desk, front: Front) -> None:
    organization = (await desk.make())["id"]
    await invite(desk, organization)
    token = await token_mailed(desk)
    answers = await asyncio.gather(*(sign_up(desk, token) for _ in range(16)))
    assert {answer.status_code for answer in answers} <= {201, 401, 409}
    assert [answer.status_code for answer in answers].count(201) == 1
    assert len(await desk.members(organization)) == 1
    _, access = await verified_user(desk, front, "carol@example.com")
    await invite(desk, organization, "carol@example.com")
    token = await token_mailed(desk, "carol@example.com")
    accepted = await asyncio.gather(*(accept(desk, access, token) for _ in range(16)))
    assert [answer.status_code for answer in accepted].count(200) == 1
    assert len(await desk.entries("organization.member_added")) == 2


async def test_revoking_and_accepting_at_once(desk: Desk, front: Front) -> None:
    organization = (await desk.make())["id"]
    _, access = await verified_user(desk, front)
    made = (await invite(desk, organization)).json()
    token = await token_mailed(desk)
    path = f"{PATH}/{organization}/invitations/{made['id']}"
    revoked, accepted = await asyncio.gather(desk.call("DELETE", path), accept(desk, access, token))
    assert revoked.is_success is not accepted.is_success
    assert len(await desk.members(organization)) == int(accepted.is_success)


async def test_it_goes_with_the_organization_and_with_its_person(desk: Desk, front: Front, parts: UserParts) -> None:
    organization, other = (await desk.make())["id"], (await desk.make("B"))["id"]
    await invite(desk, organization)
    gone = await token_mailed(desk)
    await desk.call("DELETE", f"{PATH}/{organization}")
    assert error_of(await sign_up(desk, gone)) == (401, "link_invalid", [])
    user_id, _ = await verified_user(desk, front)
    await invite(desk, other)
    await invite(desk, other, "carol@example.com")
    await desk.call("DELETE", f"/v1/users/{user_id}?permanent=true")
    left = await parts.rows(desk.tenant_id, LIST_INVITATIONS)
    assert [email for email, _ in left] == ["carol@example.com"]
    assert (await token_mailed(desk, "carol@example.com")).encode() not in bytes(left[0][1])


async def test_answers_kept_for_retries_go_with_the_person(desk: Desk, front: Front, parts: UserParts) -> None:
    path = f"{PATH}/{(await desk.make())['id']}/invitations"
    for number, email in enumerate(("bob@example.com", "carol@example.com")):
        body, key = {"email": email}, {"Idempotency-Key": f"invite-{number}"}
        made = (await desk.call("POST", path, body, **key)).json()
        assert made["email"] == email
        desk.app.mailbox.failure = MailServerDown("timeout")
        await desk.app.mails()
        desk.app.mailbox.failure = None
        mail = (await desk.call("GET", "/v1/admin/emails")).json()["data"][0]
        assert (mail["to"], mail["user_id"]) == (email, None)
        for again in (f"{path}/{made['id']}/resend", f"/v1/admin/emails/{mail['id']}/resend"):
            key = {"Idempotency-Key": f"again-{number}"}
            assert (await desk.call("POST", again, **key)).status_code == 200, again
    assert len(await parts.rows(desk.tenant_id, LIST_ANSWERS)) == 6
    user_id, _ = await verified_user(desk, front, "Bob@Example.com")
    await desk.call("DELETE", f"/v1/users/{user_id}?permanent=true")
    assert len(await parts.rows(desk.tenant_id, LIST_ANSWERS)) == 3


async def test_a_role_that_is_offered_stays(desk: Desk) -> None:
    organization = (await desk.make())["id"]
    role = (await desk.call("POST", "/v1/roles", {"name": "billing", "scope": "organization"})).json()
    answer = await invite(desk, organization, role="nothing")
    assert error_of(answer) == (422, "validation_failed", [("role", "unknown")])
    assert (await invite(desk, organization, role="billing")).status_code == 201
    assert error_of(await desk.call("DELETE", f"/v1/roles/{role['id']}")) == (409, "role_in_use", [])


async def test_another_tenant_has_no_part_in_it(desk: Desk) -> None:
    organization = (await desk.make())["id"]
    made = (await invite(desk, organization)).json()
    token = await token_mailed(desk)
    tenant_id = await desk.app.make_tenant("Other")
    other = await desk.app.make_key(tenant_id)
    path = f"{PATH}/{organization}/invitations"
    calls: list[tuple[str, str, Any]] = [
        ("GET", path, None),
        ("POST", path, {"email": "x@example.com"}),
        ("POST", f"{path}/{made['id']}/resend", None),
        ("DELETE", f"{path}/{made['id']}", None),
    ]
    for method, where, body in calls:
        assert error_of(await desk.call(method, where, body, key=other)) == (404, "organization_not_found", [])
    elsewhere = f"{PATH}/{(await desk.make('B'))['id']}/invitations/{made['id']}"
    assert error_of(await desk.call("DELETE", elsewhere)) == (404, "invitation_not_found", [])
    assert (await sign_up(desk, token)).status_code == 201


async def test_without_a_page_to_open_nobody_is_invited(desk: Desk, front: Front) -> None:
    organization = (await desk.make())["id"]
    made = (await invite(desk, organization, "carol@example.com")).json()
    good = await token_mailed(desk, "carol@example.com")
    await front.admin("PATCH", "/v1/admin/config", {"urls": None})
    resend = f"{PATH}/{organization}/invitations/{made['id']}/resend"
    for answer in (await invite(desk, organization), await desk.call("POST", resend)):
        assert error_of(answer) == (409, "invitation_page_missing", [])
    assert (await desk.call("GET", f"{PATH}/{organization}/invitations")).json()["data"] == [made]
    kinds = [entry["type"] for entry in await desk.entries()]
    assert kinds == ["organization.created", "organization.invitation_created"]
    assert len(await invitations(desk)) == 1
    assert (await sign_up(desk, good)).status_code == 201


async def test_a_user_who_may_not_enter_does_not_accept(desk: Desk, front: Front) -> None:
    organization = (await desk.make())["id"]
    for act, body in (("disable", {}), ("ban", {"reason": "spam"})):
        email = f"{act}@example.com"
        user_id, access = await verified_user(desk, front, email)
        await invite(desk, organization, email)
        assert (await front.admin("POST", f"/v1/users/{user_id}/{act}", body)).status_code == 200
        refused = await accept(desk, access, await token_mailed(desk, email))
        assert error_of(refused)[1] == "session_revoked"
    assert await desk.members(organization) == []


async def test_without_mail_nothing_is_written(database: Database, clock: Clock, ids: IdFactory) -> None:
    async with running_app(database, clock, ids, with_mail=False) as app:
        tenant_id = await app.make_tenant()
        key = await app.make_key(tenant_id)
        organization = (await app.call(key, "POST", PATH, {"name": "Acme"})).json()["id"]
        path = f"{PATH}/{organization}/invitations"
        page = {"urls": {"organization_invitation_url": JOIN_PAGE}}
        await app.call(key, "PATCH", "/v1/admin/config", page)
        answer = await app.call(key, "POST", path, {"email": "bob@example.com"})
        assert error_of(answer)[:2] == (503, "mail_not_configured")
        assert (await app.call(key, "GET", path)).json()["data"] == []
        told = (await app.call(key, "GET", "/v1/audit-logs?type=organization.*")).json()["data"]
        assert [entry["type"] for entry in told] == ["organization.created"]
