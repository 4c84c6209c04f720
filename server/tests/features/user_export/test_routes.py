"""Exporting a person through the app on both stores: complete, without secrets, for those who may."""

from typing import Any

import httpx
import msgspec

from hellojohn_server.features.user_export.schemas import UserExportBody
from tests.conftest import ManualClock
from tests.features.auth.parts import PASSWORD, Front, SignedIn, kept
from tests.features.mfa.parts import STEP, begin, confirm

PAGE = 100


def path_of(user_id: str) -> str:
    return f"/v1/admin/users/{user_id}/export"


async def exported(front: Front, user_id: str) -> dict[str, Any]:
    answer = await front.admin("GET", path_of(user_id))
    assert answer.status_code == httpx.codes.OK, answer.text
    assert answer.headers["content-type"] == "application/json"
    msgspec.json.decode(answer.content, type=UserExportBody, strict=True)
    body: dict[str, Any] = answer.json()
    assert body.keys() == set(UserExportBody.__struct_fields__)
    return body


async def furnished(front: Front, clock: ManualClock) -> tuple[SignedIn, list[str]]:
    """Return somebody with something of everything, and their secrets."""
    user = await front.sign_up(name="Alice")
    path = f"/v1/users/{user.user_id}"
    await front.admin("PATCH", path, {"private_metadata": {"plan": "pro"}, "phone": "+14155552671"})
    second = await front.sign_in()
    await front.sign_out(second.access)
    await front.post("password/forgot", {"email": "alice@example.com"})
    organization = (await front.admin("POST", "/v1/organizations", {"name": "Acme"})).json()["id"]
    await front.admin("POST", f"/v1/organizations/{organization}/members", {"user_id": user.user_id})
    begun = (await front.post("mfa/factors", {"type": "totp", "name": "my phone"}, key=user.access)).json()
    mine = [user.access, user.refresh, second.access, second.refresh, begun["secret"], PASSWORD]
    app = await begin(front, user.access, clock)
    await confirm(front, user.access, app)
    clock.advance(STEP)
    return user, [*mine, *app.backup_codes]


async def test_everything_is_in_it(front: Front, clock: ManualClock) -> None:
    user, _ = await furnished(front, clock)
    shown = (await front.admin("GET", f"/v1/users/{user.user_id}")).json()

    body = await exported(front, user.user_id)

    assert body["user"] == shown
    assert body["access"] == {"can_sign_in": True, "reasons": []}
    assert (body["has_password"], body["backup_codes"]) == (True, 10)
    assert {factor["name"] for factor in body["factors"]} == {"my phone", None}
    assert [link["purpose"] for link in body["links"]] == ["email_verification", "password_reset"]
    assert [(one["name"], one["role"]) for one in body["organizations"]] == [("Acme", "member")]
    assert sorted(session["status"] for session in body["sessions"]) == ["active", "revoked"]
    assert "password_reset" in {mail["template"] for mail in body["emails"]}
    assert {mail["to"] for mail in body["emails"]} == {"alice@example.com"}
    entries = (await front.admin("GET", f"/v1/audit-logs?limit=200&user_id={user.user_id}")).json()["data"]
    assert body["audit_logs"] == entries
    assert entries[0]["type"] == "user.exported"
    assert entries[0]["resource"] == {"id": user.user_id, "type": "user"}


async def test_invitations_of_the_address_are_in_it_and_of_no_other(front: Front) -> None:
    page = {"urls": {"organization_invitation_url": "https://app.example.com/join"}}
    await front.admin("PATCH", "/v1/admin/config", page)
    organization = (await front.admin("POST", "/v1/organizations", {"name": "Acme"})).json()["id"]
    path = f"/v1/organizations/{organization}/invitations"
    made, _ = [
        (await front.admin("POST", path, {"email": email})).json() for email in ("Alice@Example.com", "bob@example.com")
    ]
    user = await front.sign_up()

    body = await exported(front, user.user_id)

    assert body["invitations"] == [made]
    assert "Alice@Example.com" in {mail["to"] for mail in body["emails"]}
    await front.admin("DELETE", f"{path}/{made['id']}")
    assert (await exported(front, user.user_id))["invitations"] == []


async def test_nothing_in_it_opens_anything(front: Front, clock: ManualClock) -> None:
    user, secrets = await furnished(front, clock)
    await front.app.mails()
    mailed = [mail.text.split("token=")[1].split()[0] for mail in front.app.mailbox.mails if "token=" in mail.text]
    assert mailed
    text = (await front.admin("GET", path_of(user.user_id))).text
    for secret in (*secrets, *mailed, "$argon2", "address_hash", "sealed", "secret"):
        assert secret not in text


async def test_of_many_pages_none_is_missing(front: Front) -> None:
    user = await front.sign_up()
    other = await front.sign_up("bob@example.com")
    for number in range(PAGE + 5):
        entry = {"action": "order.placed", "resource_id": user.user_id, "metadata": {"number": number}}
        assert (await front.admin("POST", "/v1/audit-logs", entry)).is_success
    await front.admin("POST", "/v1/audit-logs", {"action": "order.placed", "resource_id": other.user_id})
    body = await exported(front, user.user_id)
    numbers = [entry["metadata"]["number"] for entry in body["audit_logs"] if entry["type"] == "order.placed"]
    assert numbers == list(range(PAGE + 5))[::-1]


async def test_it_is_made_while_it_goes_out(front: Front) -> None:
    user = await front.sign_up()
    context = front.app.context(front.tenant_id)
    parts = await front.app.services.exports.export_user(context, user.user_id)
    first = await anext(parts)
    assert (await front.admin("DELETE", f"/v1/users/{user.user_id}?permanent=true")).is_success
    body = msgspec.json.decode(b"".join([first, *[part async for part in parts]]), type=UserExportBody)
    assert body.user.email == "alice@example.com"
    assert list(body.sessions) == []


async def test_of_somebody_in_the_recycle_bin_too(front: Front) -> None:
    user = await front.sign_up()
    await front.admin("DELETE", f"/v1/users/{user.user_id}", {"reason": "asked to"})
    body = await exported(front, user.user_id)
    assert body["user"]["status"] == "deleted"
    assert body["access"]["reasons"][0]["reason"] == "asked to"


async def test_who_may(front: Front) -> None:
    user = await front.sign_up()
    admin = kept(await front.post("sign-up", {"email": "boss@example.com", "password": PASSWORD}), 201)
    assert (await front.admin("PATCH", f"/v1/users/{admin.user_id}", {"role": "admin"})).is_success
    app, every = front.app, await front.app.make_key(front.tenant_id, "*")
    for key, user_id, expected in (
        (await app.make_key(front.tenant_id, "users:read", "users:write"), user.user_id, "insufficient_scope"),
        (await app.make_key(front.tenant_id, "users:export"), user.user_id, None),
        (await app.make_key(front.tenant_id, "users:export"), admin.user_id, "insufficient_scope"),
        (every, admin.user_id, "insufficient_scope"),
        (front.secret, admin.user_id, None),
        (front.secret, "usr_01H00000000000000000000000", "user_not_found"),
        (front.secret, "x", "user_not_found"),
        (await app.make_key(await app.make_tenant("Other")), user.user_id, "user_not_found"),
    ):
        answer = await app.call(key, "GET", path_of(user_id))
        assert (None if answer.is_success else answer.json()["error"]["code"]) == expected, answer.text
    kinds = [entry.type for entry in await front.entries()]
    assert kinds.count("user.exported") == 2
    assert "operation.denied" in kinds


async def test_nothing_is_left_to_export_of_the_erased(front: Front) -> None:
    user = await front.sign_up()
    await front.admin("DELETE", f"/v1/users/{user.user_id}?permanent=true")
    answer = await front.admin("GET", path_of(user.user_id))
    assert answer.json()["error"]["code"] == "user_not_found"


async def test_a_head_request_has_no_body(front: Front) -> None:
    user = await front.sign_up()
    answer = await front.app.call(front.secret, "HEAD", path_of(user.user_id))
    assert (answer.status_code, answer.content) == (200, b"")
