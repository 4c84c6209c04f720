"""Mail on both stores: written down with what it belongs to, sent once, tried again, given up, thrown away."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from hellojohn_server.features.emails.errors import MailNotConfigured
from hellojohn_server.features.emails.schemas import CLAIM_MS, EMAIL_KEPT_MS, GIVE_UP_MS, VALUES_KEPT_MS, Email
from hellojohn_server.features.emails.service import EmailService
from hellojohn_server.kit.email_templates import VALUES, EmailTemplate
from hellojohn_server.kit.errors import Conflict
from hellojohn_server.kit.ids import IdFactory
from hellojohn_server.kit.mail import Mail, MailDelayed, MailRefused, MailServerDown
from hellojohn_server.storage.database import Database, Transaction
from hellojohn_server.storage.sql import Kind, Statement
from tests.conftest import START_MS, ManualClock
from tests.features.emails.parts import RESET, SECRET, queue
from tests.support import RunningApp, running_app

LIST_EMAILS = Statement(
    """
    SELECT to_address, status, attempts, last_error, sealed_values FROM emails
    WHERE tenant_id = :tenant_id ORDER BY id
    """
)
HOUR = 3600


async def rows(app: RunningApp, tenant_id: str) -> list[tuple[Any, ...]]:
    """Return what stands in the table: address, status, tries, error, and whether there are values."""

    async def query(reader: Any) -> list[Any]:
        return list(await reader.fetch_all(LIST_EMAILS))

    return [(*row[:4], row[4] is not None) for row in await app.services.database.read(tenant_id, query)]


async def deliver(app: RunningApp, tenant_id: str) -> Sequence[Mail]:
    """Try what is due once more, and return every mail that was sent."""
    await app.services.emails.deliver(tenant_id)
    return app.mailbox.mails


async def test_a_mail_goes_out_after_its_commit_and_its_values_are_gone(app: RunningApp, database: Database) -> None:
    tenant_id, other_id = await app.make_tenant("Acme"), await app.make_tenant("Other")

    await queue(app, tenant_id)

    assert await rows(app, tenant_id) == [("alice@example.com", "queued", 0, None, True)]
    assert await rows(app, other_id) == []
    assert await deliver(app, other_id) == ()
    [mail] = await app.mails()
    assert (mail.to, mail.from_name, mail.subject) == ("alice@example.com", "Acme", "Reset your password for Acme")
    assert SECRET in mail.text
    assert f'href="{SECRET}"' in mail.html
    assert "1 hour" in mail.text
    assert await rows(app, tenant_id) == [("alice@example.com", "sent", 1, None, False)]
    assert len(await deliver(app, tenant_id)) == 1


async def test_the_secret_stands_sealed_in_the_store_and_for_its_row_only(app: RunningApp) -> None:
    tenant_id = await app.make_tenant()
    await queue(app, tenant_id, RESET, msgspec.structs.replace(RESET, to="bob@example.com"))

    async def swap(tx: Transaction) -> None:
        sealed = [row[4] for row in await tx.fetch_all(LIST_EMAILS)]
        assert all(b"unmistakable" not in bytes(value) for value in sealed)
        await tx.execute(SET_VALUES, to="alice@example.com", value=sealed[1])

    await app.services.database.write(tenant_id, swap, type(None))
    mails = await app.mails()
    assert [mail.to for mail in mails] == ["bob@example.com"]
    assert (await rows(app, tenant_id))[0] == ("alice@example.com", "dead", 1, "values_unreadable", True)


SET_VALUES = Statement(
    "UPDATE emails SET sealed_values = :value WHERE tenant_id = :tenant_id AND to_address = :to",
    kind=Kind.BOOKKEEPING,
)


async def test_what_is_taken_back_sends_nothing(app: RunningApp) -> None:
    tenant_id = await app.make_tenant()

    async def command(tx: Transaction) -> None:
        await app.services.emails.queue(tx, RESET)
        raise Conflict

    with pytest.raises(Conflict):
        await app.services.database.write(tenant_id, command, type(None))
    assert await app.mails() == ()
    assert await rows(app, tenant_id) == []


async def test_without_a_mail_server_nothing_is_queued(database: Database, clock: ManualClock, ids: IdFactory) -> None:
    async with running_app(database, clock, ids, with_mail=False) as app:
        tenant_id = await app.make_tenant()
        assert app.services.emails.is_configured is False
        with pytest.raises(MailNotConfigured):
            app.services.emails.require_configured()
        with pytest.raises(MailNotConfigured):
            await queue(app, tenant_id)
        assert await rows(app, tenant_id) == []


@pytest.mark.parametrize("values", [{}, {"link": "x"}, {"link": "x", "expires_in": "1 hour", "name": "Alice"}])
async def test_other_values_than_those_of_the_template_are_refused(app: RunningApp, values: dict[str, str]) -> None:
    tenant_id = await app.make_tenant()
    with pytest.raises(ValueError, match=r"takes \['expires_in', 'link'\]"):
        await queue(app, tenant_id, Email(EmailTemplate.PASSWORD_RESET, "a@example.com", None, values))


FOR_OWN_TEXTS = {"acting_admin", "reason"}
"""What no built-in text shows."""


async def test_every_template_renders_with_its_values(app: RunningApp) -> None:
    tenant_id = await app.make_tenant("A & B <Acme>")
    emails = [
        Email(template, f"{template.value}@example.com", None, {name: f"<{name} & value>" for name in VALUES[template]})
        for template in EmailTemplate
    ]
    await queue(app, tenant_id, *emails)
    mails = {mail.to: mail for mail in await app.mails()}
    assert len(mails) == len(EmailTemplate)
    for email in emails:
        mail = mails[email.to]
        assert "A & B <Acme>" in mail.text
        assert "A &amp; B &lt;Acme&gt;" in mail.html
        for name in email.values:
            assert (f"<{name} & value>" in mail.text) == (name not in FOR_OWN_TEXTS)
            assert (f"&lt;{name} &amp; value&gt;" in mail.html) == (name not in FOR_OWN_TEXTS)
        assert "<Acme>" not in mail.html
        assert "{{" not in mail.subject + mail.text + mail.html


async def test_of_16_at_once_each_mail_is_sent_by_one(app: RunningApp) -> None:
    tenant_id = await app.make_tenant()
    addresses = [f"user{number}@example.com" for number in range(20)]
    await queue(app, tenant_id, *(msgspec.structs.replace(RESET, to=address) for address in addresses))
    await asyncio.gather(*(app.services.emails.deliver(tenant_id) for _ in range(16)))
    assert sorted(mail.to for mail in app.mailbox.mails) == sorted(addresses)
    assert {row[1:3] for row in await rows(app, tenant_id)} == {("sent", 1)}


async def test_a_failed_try_waits_longer_each_time(app: RunningApp, clock: ManualClock) -> None:
    tenant_id = await app.make_tenant()
    await queue(app, tenant_id)
    app.mailbox.failure = MailDelayed("recipient_refused 451")
    waits: list[int] = []
    for number in range(1, 15):
        due = (await app.services.emails.deliver(tenant_id)).next_at
        assert due is not None
        waits.append(due - clock.now_ms())
        assert await rows(app, tenant_id) == [("alice@example.com", "failed", number, "recipient_refused 451", True)]
        clock.set(due - 1)
        await app.services.emails.deliver(tenant_id)
        assert (await rows(app, tenant_id))[0][2] == number
        clock.set(due)
    for number, wait in enumerate(waits):
        longest = min(5_000 << number, 3_600_000)
        assert longest // 2 <= wait <= longest
    app.mailbox.failure = None
    assert len(await deliver(app, tenant_id)) == 1


async def test_after_a_day_of_tries_it_is_given_up_and_recorded(app: RunningApp, clock: ManualClock) -> None:
    tenant_id = await app.make_tenant()
    key = await app.make_key(tenant_id)
    await queue(app, tenant_id)
    app.mailbox.failure = MailServerDown("timeout")
    due: int | None = START_MS
    while due is not None:
        clock.set(due)
        delivery = await app.services.emails.deliver(tenant_id)
        assert delivery.server_is_down is True
        due = delivery.next_at
    assert GIVE_UP_MS - 3_600_000 <= clock.now_ms() - START_MS <= GIVE_UP_MS
    [(_, status, attempts, error, has_values)] = await rows(app, tenant_id)
    assert (status, error, has_values) == ("dead", "timeout", True)
    page = (await app.call(key, "GET", "/v1/audit-logs?type=email.undeliverable")).json()
    [entry] = page["data"]
    assert entry["actor"]["type"] == "system"
    assert (entry["result"], entry["reason"], entry["resource"]["type"]) == ("failure", "timeout", "email")
    assert entry["metadata"] == {"template": "password_reset", "user_id": "usr_1", "attempts": attempts}


async def test_a_mail_that_is_refused_for_good_is_given_up_at_once(app: RunningApp) -> None:
    tenant_id = await app.make_tenant()
    await queue(app, tenant_id)
    app.mailbox.failure = MailRefused("recipient_refused 550")
    delivery = await app.services.emails.deliver(tenant_id)
    assert (delivery.next_at, delivery.server_is_down) == (None, False)
    assert await rows(app, tenant_id) == [("alice@example.com", "dead", 1, "recipient_refused 550", True)]


async def test_what_a_killed_process_had_in_hand_is_sent_when_its_claim_ends(
    app: RunningApp, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant_id = await app.make_tenant()
    await queue(app, tenant_id)
    emails = app.services.emails

    async def die(self: EmailService, *_: object) -> None:
        raise asyncio.CancelledError

    with monkeypatch.context() as patched:
        patched.setattr(EmailService, "_finish", die)
        with pytest.raises(asyncio.CancelledError):
            await emails.deliver(tenant_id)
    assert await rows(app, tenant_id) == [("alice@example.com", "sending", 1, None, True)]
    clock.advance(CLAIM_MS / 1000 - 1)
    assert len(await deliver(app, tenant_id)) == 1
    clock.advance(1)
    first, second = await deliver(app, tenant_id)
    assert first.message_id == second.message_id
    assert await rows(app, tenant_id) == [("alice@example.com", "sent", 2, None, False)]


async def test_what_is_kept_no_longer_is_destroyed(app: RunningApp, clock: ManualClock) -> None:
    tenant_id = await app.make_tenant()
    emails = app.services.emails
    await queue(app, tenant_id)
    await app.mails()
    app.mailbox.failure = MailRefused("recipient_refused 550")
    await queue(app, tenant_id, msgspec.structs.replace(RESET, to="bob@example.com"))
    await emails.deliver(tenant_id)
    clock.set(START_MS + VALUES_KEPT_MS - 1)
    await emails.purge(tenant_id, clock.now_ms())
    assert [row[-1] for row in await rows(app, tenant_id)] == [False, True]
    clock.advance(0.001)
    await emails.purge(tenant_id, clock.now_ms())
    assert [(row[1], row[-1]) for row in await rows(app, tenant_id)] == [("sent", False), ("dead", False)]
    clock.set(START_MS + EMAIL_KEPT_MS - 1)
    await emails.purge(tenant_id, clock.now_ms())
    assert len(await rows(app, tenant_id)) == 2
    clock.advance(0.001)
    await emails.purge(tenant_id, clock.now_ms())
    assert await rows(app, tenant_id) == []


async def test_a_defect_holds_up_one_mail_only(app: RunningApp, monkeypatch: pytest.MonkeyPatch) -> None:
    tenant_id = await app.make_tenant()
    await queue(app, tenant_id, RESET, msgspec.structs.replace(RESET, to="bob@example.com"))
    send = app.mailbox.send

    async def stumble(mail: Mail) -> None:
        if mail.to == "alice@example.com":
            raise RuntimeError("a defect")
        await send(mail)

    monkeypatch.setattr(app.mailbox, "send", stumble)
    mails = await app.mails()
    assert [mail.to for mail in mails] == ["bob@example.com"]
    assert await rows(app, tenant_id) == [
        ("alice@example.com", "failed", 1, "defect", True),
        ("bob@example.com", "sent", 1, None, False),
    ]
