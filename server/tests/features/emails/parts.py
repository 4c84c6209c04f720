"""A mail to try things with, and how it is queued."""

from collections.abc import Sequence
from typing import Final

from hellojohn_server.features.emails.schemas import Email
from hellojohn_server.kit.email_templates import EmailTemplate
from hellojohn_server.kit.mail import MailFailure
from hellojohn_server.storage.database import Transaction
from tests.support import RunningApp

SECRET: Final = "https://example.com/reset?token=unmistakable"
RESET: Final = Email(
    EmailTemplate.PASSWORD_RESET, "alice@example.com", "usr_1", {"link": SECRET, "expires_in": "1 hour"}
)


async def queue(app: RunningApp, tenant_id: str, *emails: Email) -> Sequence[str]:
    """Queue mails (the one above if none are given) in one transaction, and return their ids."""

    async def command(tx: Transaction) -> list[str]:
        return [await app.services.emails.queue(tx, email) for email in emails or (RESET,)]

    return await app.services.database.write(tenant_id, command, list[str])


async def fail(app: RunningApp, tenant_id: str, failure: MailFailure) -> None:
    """Have what is due in a tenant fail once."""
    app.mailbox.failure = failure
    await app.services.emails.deliver(tenant_id)
    app.mailbox.failure = None
