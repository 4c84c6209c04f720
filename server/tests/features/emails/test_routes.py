"""What became of mail, over HTTP, and sending it again."""

import asyncio
from typing import Any

import msgspec
import pytest

from hellojohn_server.features.emails.schemas import VALUES_KEPT_MS
from hellojohn_server.kit.email_templates import EmailTemplate
from hellojohn_server.kit.ids import IdFactory
from hellojohn_server.kit.mail import MailDelayed, MailRefused
from hellojohn_server.storage.database import Database, Reader
from hellojohn_server.storage.sql import Statement
from tests.conftest import START_MS, ManualClock
from tests.features.emails.parts import RESET, SECRET, fail, queue
from tests.support import RunningApp, running_app

EMAILS = "/v1/admin/emails"
LIST_ANSWERS = Statement("SELECT subject_id FROM idempotency_records WHERE tenant_id = :tenant_id")
GONE = MailRefused("recipient_refused 550")


async def test_each_mail_is_shown_without_what_it_said(app: RunningApp) -> None:
    tenant_id = await app.make_tenant()
    key = await app.make_key(tenant_id)
    [email_id] = await queue(app, tenant_id)
    queued = (await app.call(key, "GET", f"{EMAILS}/{email_id}")).json()
    assert queued == {
        "id": email_id,
        "template": "password_reset",
        "to": "alice@example.com",
        "user_id": "usr_1",
        "status": "queued",
        "attempts": 0,
        "last_error": None,
        "resendable": False,
        "created_at": "2026-09-21T14:13:20.000Z",
        "next_attempt_at": "2026-09-21T14:13:20.000Z",
        "sent_at": None,
    }
    await fail(app, tenant_id, MailDelayed("recipient_refused 452"))
    failed = await app.call(key, "GET", f"{EMAILS}/{email_id}")
    told = {name: failed.json()[name] for name in ("status", "attempts", "last_error", "resendable")}
    assert told == {"status": "failed", "attempts": 1, "last_error": "recipient_refused 452", "resendable": True}
    assert failed.json()["next_attempt_at"] > "2026-09-21T14:13:20.000Z"
    await app.call(key, "POST", f"{EMAILS}/{email_id}/resend")
    await app.mails()
    sent = await app.call(key, "GET", EMAILS)
    [row] = sent.json()["data"]
    assert (row["status"], row["attempts"], row["sent_at"]) == ("sent", 2, "2026-09-21T14:13:20.000Z")
    assert (row["next_attempt_at"], row["last_error"], row["resendable"]) == (None, None, False)
    for answer in (failed, sent):
        assert SECRET not in answer.text
        assert "unmistakable" not in answer.text


async def test_the_list_goes_page_by_page_and_by_every_filter(app: RunningApp) -> None:
    tenant_id, other_id = await app.make_tenant(), await app.make_tenant()
    key = await app.make_key(tenant_id)
    changed = msgspec.structs.replace(RESET, template=EmailTemplate.EMAIL_CHANGED, values={}, user_id="usr_2")
    ids = await queue(app, tenant_id, RESET, RESET, RESET, changed)
    await fail(app, tenant_id, GONE)
    ids = [*ids, *await queue(app, tenant_id, RESET, changed)]
    await queue(app, other_id)

    async def listed(query: str) -> list[str]:
        answer = await app.call(key, "GET", f"{EMAILS}?{query}")
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert page["pagination"]["total"] == len(page["data"])
        return [str(row["id"]) for row in page["data"]]

    assert await listed("") == ids[::-1]
    assert await listed("status=dead") == ids[3::-1]
    assert await listed("template=email_changed") == [ids[5], ids[3]]
    assert await listed("user_id=usr_2&status=queued") == [ids[5]]
    assert await listed("user_id=usr_3") == []
    found: list[str] = []
    path = f"{EMAILS}?limit=2&status=dead"
    page: dict[str, Any] = {"pagination": {"next_cursor": ""}}
    while page["pagination"]["next_cursor"] is not None:
        cursor = page["pagination"]["next_cursor"]
        page = (await app.call(key, "GET", f"{path}&cursor={cursor}" if cursor else path)).json()
        found += [row["id"] for row in page["data"]]
        assert page["pagination"]["total"] == 4
    assert found == ids[3::-1]
    wrong = await app.call(key, "GET", f"{EMAILS}?status=lost&template=nothing&limit=0")
    assert (wrong.status_code, len(wrong.json()["error"]["details"])) == (422, 3)


async def test_what_was_given_up_is_sent_again_and_recorded_once(app: RunningApp) -> None:
    tenant_id = await app.make_tenant()
    key = await app.make_key(tenant_id)
    [email_id] = await queue(app, tenant_id)
    await fail(app, tenant_id, GONE)
    path = f"{EMAILS}/{email_id}/resend"

    answers = await asyncio.gather(*(app.call(key, "POST", path) for _ in range(16)))

    assert {answer.status_code for answer in answers} == {200}
    assert {answer.json()["status"] for answer in answers} == {"queued"}
    [mail] = await app.mails()
    assert SECRET in mail.text
    page = (await app.call(key, "GET", "/v1/audit-logs?type=email.resent")).json()
    assert [entry["metadata"] for entry in page["data"]] == [{"template": "password_reset", "user_id": "usr_1"}]
    again = await app.call(key, "POST", path)
    assert (again.status_code, again.json()["error"]["code"]) == (409, "email_not_resendable")


async def test_it_is_tried_for_another_day(app: RunningApp, clock: ManualClock) -> None:
    tenant_id = await app.make_tenant()
    key = await app.make_key(tenant_id)
    [email_id] = await queue(app, tenant_id)
    await fail(app, tenant_id, GONE)
    clock.advance(3 * 86_400)
    await app.call(key, "POST", f"{EMAILS}/{email_id}/resend")
    await fail(app, tenant_id, MailDelayed("recipient_refused 452"))
    assert (await app.call(key, "GET", f"{EMAILS}/{email_id}")).json()["status"] == "failed"


async def test_without_its_values_it_cannot_be_sent_again(app: RunningApp, clock: ManualClock) -> None:
    tenant_id = await app.make_tenant()
    key = await app.make_key(tenant_id)
    [email_id] = await queue(app, tenant_id)
    await fail(app, tenant_id, GONE)
    clock.set(START_MS + VALUES_KEPT_MS)
    await app.services.emails.purge(tenant_id, clock.now_ms())
    answer = await app.call(key, "POST", f"{EMAILS}/{email_id}/resend")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "email_not_resendable")
    assert (await app.call(key, "GET", f"{EMAILS}/{email_id}")).json()["resendable"] is False


@pytest.mark.parametrize("made_up", ["eml_01HZZZZZZZZZZZZZZZZZZZZZZZ", "nothing"])
async def test_another_mail_or_none_is_not_found(app: RunningApp, made_up: str) -> None:
    tenant_id, other_id = await app.make_tenant(), await app.make_tenant()
    key = await app.make_key(tenant_id)
    [others] = await queue(app, other_id)
    for email_id in (others, made_up):
        for method, path in (("GET", f"{EMAILS}/{email_id}"), ("POST", f"{EMAILS}/{email_id}/resend")):
            answer = await app.call(key, method, path)
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "email_not_found")


async def test_without_a_mail_server_nothing_is_sent_again(
    database: Database, clock: ManualClock, ids: IdFactory
) -> None:
    async with running_app(database, clock, ids) as app:
        tenant_id = await app.make_tenant()
        key = await app.make_key(tenant_id)
        [email_id] = await queue(app, tenant_id)
        await fail(app, tenant_id, GONE)
    async with running_app(database, clock, ids, with_mail=False) as app:
        answer = await app.call(key, "POST", f"{EMAILS}/{email_id}/resend")
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "mail_not_configured")
        assert answer.headers["Retry-After"] == "60"
        assert (await app.call(key, "GET", f"{EMAILS}/{email_id}")).json()["status"] == "dead"


async def test_what_is_kept_for_a_retry_goes_with_its_person(app: RunningApp) -> None:
    tenant = await app.make_tenant()
    key = await app.make_key(tenant)
    user = (await app.call(key, "POST", "/v1/users", {"email": "alice@example.com"})).json()
    [email_id] = await queue(app, tenant, msgspec.structs.replace(RESET, user_id=user["id"]))
    await fail(app, tenant, GONE)
    await app.call(key, "POST", f"{EMAILS}/{email_id}/resend", None, {"Idempotency-Key": "once"})
    assert await kept_answers(app, tenant) == [user["id"]]
    await app.call(key, "DELETE", f"/v1/users/{user['id']}?permanent=true")
    assert await kept_answers(app, tenant) == []
    assert (await app.call(key, "GET", EMAILS)).json()["data"] == []
    assert await app.mails() == ()


async def kept_answers(app: RunningApp, tenant_id: str) -> list[str]:
    async def query(reader: Reader) -> list[str]:
        return [row[0] for row in await reader.fetch_all(LIST_ANSWERS)]

    return await app.services.database.read(tenant_id, query)
