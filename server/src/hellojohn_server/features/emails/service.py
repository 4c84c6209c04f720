"""Mail: written down inside the transaction that it belongs to, and sent from there, again and again if need be."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Final

import msgspec
import structlog

from hellojohn_server.features.audit.service import AuditLog
from hellojohn_server.features.emails import repository
from hellojohn_server.features.emails.errors import EmailNotFound, EmailNotResendable, MailNotConfigured
from hellojohn_server.features.emails.events import email_resent, email_undeliverable
from hellojohn_server.features.emails.schemas import (
    AT_ONCE,
    CLAIM_MS,
    EMAIL_KEPT_MS,
    FIRST_RETRY_MS,
    GIVE_UP_MS,
    LONGEST_RETRY_MS,
    VALUES_KEPT_MS,
    Delivery,
    Email,
    EmailBody,
    EmailRow,
    EmailStatus,
    ListEmailsQuery,
    Look,
    email_body,
)
from hellojohn_server.features.tenant_settings.service import TenantSettingsService
from hellojohn_server.features.tenants.service import TenantService
from hellojohn_server.kit.bell import Bell
from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.email_templates import EmailTemplate, Rendered, one_line, render, require_values
from hellojohn_server.kit.ids import IdFactory, IdPrefix
from hellojohn_server.kit.mail import Mail, MailDelayed, MailFailure, MailRefused, MailServerDown, Transport
from hellojohn_server.kit.mail_settings import parts_of
from hellojohn_server.kit.metrics import MailOutcome, Metrics
from hellojohn_server.kit.pagination import CursorCodec, Page, page_of
from hellojohn_server.kit.principal import Context, system_context
from hellojohn_server.kit.secrets import AddressHasher, Sealer, WrongSeal
from hellojohn_server.kit.template_language import TemplateFault
from hellojohn_server.kit.text import email_key
from hellojohn_server.kit.times import END_OF_TIME_MS
from hellojohn_server.storage.database import Database, Exempt, Reader, Transaction

_AT_A_TIME: Final = 100
_DOUBLINGS: Final = 20

_log: Final = structlog.get_logger()


class MailParts(msgspec.Struct, frozen=True):
    """How mail leaves. Without a `transport` it does not. `from_address`: the sender of every mail."""

    transport: Transport | None
    from_address: str
    sealer: Sealer
    bell: Bell


class EmailService:
    """Mail of one tenant at a time. Nothing here waits for a mail server but `deliver`, which no request calls."""

    def __init__(  # noqa: PLR0913 - what it takes, each by name
        self,
        db: Database,
        ids: IdFactory,
        clock: Clock,
        audit: AuditLog,
        *,
        tenants: TenantService,
        settings: TenantSettingsService,
        cursors: CursorCodec,
        metrics: Metrics,
        parts: MailParts,
        addresses: AddressHasher,
    ) -> None:
        self._db = db
        self._ids = ids
        self._clock = clock
        self._audit = audit
        self._tenants = tenants
        self._settings = settings
        self._cursors = cursors
        self._metrics = metrics
        self._parts = parts
        self._addresses = addresses

    @property
    def is_configured(self) -> bool:
        """Whether mail can be sent at all."""
        return self._parts.transport is not None

    def require_configured(self) -> None:
        """Raise MailNotConfigured if mail cannot be sent. For before anything is written."""
        if not self.is_configured:
            raise MailNotConfigured

    async def queue(self, tx: Transaction, email: Email) -> str:
        """Write a mail down in `tx` and return its id. It is sent soon after the commit, and not without one.

        ValueError when the values are not those of the template; MailNotConfigured.
        """
        self.require_configured()
        row = self._row_of(tx.tenant_id, email)
        await repository.insert_email(tx, row)
        self._announce(tx, row.created_at)
        return row.id

    async def queue_many(self, tx: Transaction, emails: Sequence[Email]) -> None:
        """Write mails down in `tx`, in one statement. Raises as queue does."""
        self.require_configured()
        rows = [self._row_of(tx.tenant_id, email) for email in emails]
        if rows:
            await repository.insert_emails(tx, rows)
            self._announce(tx, rows[0].created_at, len(rows))

    async def list_emails(self, tenant_id: str, query: ListEmailsQuery) -> Page[EmailBody]:
        """Return a page of mails, newest first. InvalidCursor."""
        wanted = repository.EmailFilter(query.status, query.template, query.user_id)
        bound = ("emails", wanted)
        after = None
        if query.cursor is not None:
            after = str(self._cursors.decode(tenant_id, bound, query.cursor)[0])

        async def read(reader: Reader) -> Page[EmailBody]:
            total, found = await repository.list_emails(reader, wanted, query.limit + 1, after)
            rows = [email_body(email) for email in found[: query.limit]]
            more = len(found) > query.limit
            following = self._cursors.encode(tenant_id, bound, (rows[-1].id,)) if more else None
            return page_of(rows, query.limit, total, following, capped=True)

        return await self._db.read(tenant_id, read)

    async def get_email(self, tenant_id: str, email_id: str) -> EmailBody:
        """Return a mail; EmailNotFound."""

        async def read(reader: Reader) -> EmailBody:
            return email_body(await _require_email(reader, email_id))

        return await self._db.read(tenant_id, read)

    async def resend_email(self, context: Context, email_id: str) -> EmailBody:
        """Have a mail that failed, or was given up, sent now, and tried for another day.

        One that waits already stays as it is. EmailNotFound; EmailNotResendable when it was sent or its values are
        destroyed; MailNotConfigured. Of any number at once one is recorded.
        """
        self.require_configured()
        now = self._clock.now_ms()

        async def command(tx: Transaction) -> EmailBody:
            queued = await repository.update_resent(tx, email_id, now, now + GIVE_UP_MS)
            email = queued or await _require_email(tx, email_id)
            if context.idempotency is not None:
                address = self._addresses.hash(tx.tenant_id, email.address_key)
                context.idempotency.subject_id = email.user_id or address
            if queued is None:
                if email.status not in {EmailStatus.QUEUED, EmailStatus.SENDING}:
                    raise EmailNotResendable
                return email_body(email)
            await self._audit.record(tx, context, email_resent(queued))
            self._announce(tx, now)
            return email_body(queued)

        return await self._db.write(context.tenant_id, command, EmailBody, idempotency=context.idempotency)

    async def deliver(self, tenant_id: str) -> Delivery:
        """Try up to AT_ONCE mails of a tenant that are due, at the same time, and return when there is more to do.

        Any number may run at once, in any number of processes: each mail is with one of them. One who is killed with a
        mail in hand, or cannot write down that it went, leaves it to be sent again after CLAIM_MS, under the same
        Message-ID.
        """
        transport = self._parts.transport
        now = self._clock.now_ms()
        if transport is None or await self._db.read(tenant_id, _due_by(now)) is None:
            return await self._delivery(tenant_id)
        claim = self._ids.new(IdPrefix.JOB)

        async def take(tx: Transaction) -> list[EmailRow]:
            tx.mark_due(now + CLAIM_MS)
            return list(await repository.claim_emails(tx, claim, now, now + CLAIM_MS, AT_ONCE))

        emails = await self._db.write(tenant_id, take, list[EmailRow], exempt=Exempt.OUTBOX_CLAIM)
        look = await self._look_of(tenant_id, {email.template for email in emails})
        tries = [self._try(transport, tenant_id, look, email) for email in emails]
        down = [went is False for went in await asyncio.gather(*tries)]
        return await self._delivery(tenant_id, server_is_down=any(down))

    async def purge(self, tenant_id: str, now_ms: int) -> None:
        """Delete mails that are kept no longer, and the values of those that were never sent."""

        async def purge_some(tx: Transaction) -> int:
            return await repository.delete_overdue(tx, now_ms, EMAIL_KEPT_MS, _AT_A_TIME)

        async def first_due(reader: Reader) -> int | None:
            return await repository.get_next_purge(reader, now_ms)

        if await self._db.read(tenant_id, first_due) is None:
            return
        while await self._db.write(tenant_id, purge_some, int, exempt=Exempt.HOUSEKEEPING):
            pass

    async def ring_if_due(self, tenant_id: str, now_ms: int) -> None:
        """Wake who sends mail, if something is due in the tenant; also what another process wrote down."""
        if self.is_configured and await self._db.read(tenant_id, _due_by(now_ms)) is not None:
            self._parts.bell.ring(tenant_id)

    async def get_next_attempt(self, reader: Reader) -> int | None:
        """Return when the next mail is due."""
        return await repository.get_next_attempt(reader, END_OF_TIME_MS)

    async def get_next_purge(self, reader: Reader) -> int | None:
        """Return when something of a mail is to be destroyed."""
        return await repository.get_next_purge(reader, END_OF_TIME_MS)

    def _row_of(self, tenant_id: str, email: Email) -> EmailRow:
        require_values(email.template, email.values)
        email_id, now = self._ids.new(IdPrefix.EMAIL), self._clock.now_ms()
        values = msgspec.json.encode(email.values)
        return EmailRow(
            id=email_id,
            template=email.template,
            to_address=email.to,
            address_key=email_key(email.to),
            user_id=email.user_id,
            sealed_values=self._parts.sealer.seal(values, *_place(tenant_id, email_id)),
            status=EmailStatus.QUEUED,
            attempts=0,
            next_attempt_at=now,
            give_up_at=now + GIVE_UP_MS,
            claim=None,
            last_error=None,
            created_at=now,
            sent_at=None,
            purge_at=now + VALUES_KEPT_MS,
        )

    def _announce(self, tx: Transaction, now: int, count: int = 1) -> None:
        tenant_id = tx.tenant_id

        def announce() -> None:
            for _ in range(count):
                self._metrics.count_mail(MailOutcome.QUEUED)
            self._parts.bell.ring(tenant_id)

        tx.mark_due(now)
        tx.after_commit(announce)

    async def _delivery(self, tenant_id: str, *, server_is_down: bool = False) -> Delivery:
        return Delivery(await self._db.read(tenant_id, self.get_next_attempt), server_is_down)

    async def _look_of(self, tenant_id: str, templates: Collection[EmailTemplate]) -> Look:
        """Return how the tenant's mail looks at this moment, as far as `templates` need it."""
        tenant = await self._tenants.get_tenant(tenant_id)
        tenant_name = "" if tenant is None else tenant.name

        async def read(reader: Reader) -> Look:
            mail = (await self._settings.get_settings(reader)).mail
            texts = {template: parts_of(await self._settings.get_own_texts(reader, template)) for template in templates}
            return Look(tenant_name, mail.sender_name or tenant_name, mail.reply_to, texts)

        return await self._db.read(tenant_id, read)

    async def _try(self, transport: Transport, tenant_id: str, look: Look, email: EmailRow) -> bool:
        """Try one claimed mail and write down how it went. False: no mail can be handed over now.

        A defect of ours holds up one mail and no other, and that one for a day only.
        """
        failure: MailFailure | None = None
        try:
            await transport.send(self._mail_of(tenant_id, look, email))
        except MailFailure as failed:
            failure = failed
        except Exception:  # noqa: BLE001 - the others go on whatever this mail meets; the log has the cause
            _log.exception("sending a mail failed", tenant_id=tenant_id, email_id=email.id)
            failure = MailDelayed("defect")
        if failure is not None:
            await self._write_failure(tenant_id, email, failure)
            return not isinstance(failure, MailServerDown)
        await self._finish(tenant_id, MailOutcome.SENT, self._note_sent(email))
        return True

    def _mail_of(self, tenant_id: str, look: Look, email: EmailRow) -> Mail:
        if email.sealed_values is None:
            raise MailRefused("values_destroyed")
        try:
            opened = self._parts.sealer.open(email.sealed_values, *_place(tenant_id, email.id))
        except WrongSeal as error:
            raise MailRefused("values_unreadable") from error
        values = msgspec.json.decode(opened, type=dict[str, str])
        rendered = _rendered(email, {**values, "tenant_name": look.tenant_name, "email": email.to_address}, look)
        address = self._parts.from_address
        return Mail(
            message_id=f"{email.id}@{address.rpartition('@')[2]}",
            from_name=one_line(look.sender_name),
            from_address=address,
            reply_to=look.reply_to,
            to=email.to_address,
            subject=rendered.subject,
            text=rendered.text,
            html=rendered.html,
            created_at=email.created_at,
        )

    async def _write_failure(self, tenant_id: str, email: EmailRow, failure: MailFailure) -> None:
        next_at = self._clock.now_ms() + _pause_ms(email.attempts)
        if isinstance(failure, MailRefused) or next_at > email.give_up_at:
            _log.warning("a mail was given up", tenant_id=tenant_id, email_id=email.id, reason=failure.reason)
            await self._finish(tenant_id, MailOutcome.DEAD, self._note_dead(tenant_id, email, failure.reason))
            return
        _log.info("a mail waits", tenant_id=tenant_id, email_id=email.id, reason=failure.reason)
        await self._finish(tenant_id, MailOutcome.FAILED, self._note_failed(email, failure.reason, next_at))

    async def _finish(
        self, tenant_id: str, outcome: MailOutcome, note: Callable[[Transaction], Awaitable[bool]]
    ) -> None:
        self._metrics.count_mail(outcome)
        await self._db.write(tenant_id, note, bool, exempt=Exempt.OUTBOX_CLAIM)

    def _note_sent(self, email: EmailRow) -> Callable[[Transaction], Awaitable[bool]]:
        async def note(tx: Transaction) -> bool:
            return await repository.update_sent(tx, email.id, email.claim or "", self._clock.now_ms())

        return note

    def _note_failed(self, email: EmailRow, reason: str, next_at: int) -> Callable[[Transaction], Awaitable[bool]]:
        async def note(tx: Transaction) -> bool:
            tx.mark_due(next_at)
            return await repository.update_failed(tx, email.id, email.claim or "", reason, next_at)

        return note

    def _note_dead(self, tenant_id: str, email: EmailRow, reason: str) -> Callable[[Transaction], Awaitable[bool]]:
        context = system_context(self._ids.new(IdPrefix.REQUEST), tenant_id)

        async def note(tx: Transaction) -> bool:
            held = await repository.update_dead(tx, email.id, email.claim or "", reason)
            if held:
                await self._audit.record(tx, context, email_undeliverable(email, reason))
            return held

        return note


def _rendered(email: EmailRow, values: Mapping[str, str], look: Look) -> Rendered:
    """Return a mail's text; the built-in one where the tenant's own fails: better that than no mail."""
    try:
        return render(email.template, values, look.texts[email.template])
    except TemplateFault as fault:
        _log.warning("a tenant's text of a mail failed", email_id=email.id, template=email.template, reason=str(fault))
        return render(email.template, values)


def _place(tenant_id: str, email_id: str) -> tuple[str, str, str, str]:
    return tenant_id, "emails", email_id, "sealed_values"


async def _require_email(reader: Reader, email_id: str) -> EmailRow:
    email = await repository.get_email(reader, email_id)
    if email is None:
        raise EmailNotFound
    return email


def _due_by(now_ms: int) -> Callable[[Reader], Awaitable[int | None]]:
    async def query(reader: Reader) -> int | None:
        return await repository.get_next_attempt(reader, now_ms)

    return query


def _pause_ms(attempts: int) -> int:
    """Return how long to wait after so many tries: twice as long each time, and a part of it by chance.

    So the mails of an outage do not all come at the same moment.
    """
    longest = min(FIRST_RETRY_MS << min(attempts - 1, _DOUBLINGS), LONGEST_RETRY_MS)
    return random.randint(longest // 2, longest)  # noqa: S311 - spread, not secrecy
