"""A mail as it is asked for and as it is stored."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec

from hellojohn_server.kit.email_templates import EmailTemplate

GIVE_UP_MS: Final = 86_400_000
"""How long a mail is tried."""
CLAIM_MS: Final = 120_000
"""How long whoever takes a mail has for it; longer than a transport tries."""
AT_ONCE: Final = 4
"""Mails of a tenant that are taken together."""
VALUES_KEPT_MS: Final = 7 * 86_400_000
"""How long after a mail was asked for its values are kept, if it was not sent."""
EMAIL_KEPT_MS: Final = 30 * 86_400_000
"""How long after a mail was asked for it is kept."""
FIRST_RETRY_MS: Final = 5_000
LONGEST_RETRY_MS: Final = 3_600_000


class EmailStatus(StrEnum):
    """Where a mail is. `failed`: tried in vain, and will be tried again. `dead`: given up."""

    DEAD = "dead"
    FAILED = "failed"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"


class Email(msgspec.Struct, frozen=True):
    """A mail to send: `values` are what kit.email_templates.VALUES says of the template.

    `user_id` is whom it is about, so that it goes when the user is erased; None when it is about no user of the tenant.
    """

    template: EmailTemplate
    to: str
    user_id: str | None
    values: Mapping[str, str] = {}


class EmailRow(msgspec.Struct, frozen=True):
    """A row of emails. Times in milliseconds."""

    id: str
    template: EmailTemplate
    to_address: str
    address_key: str
    user_id: str | None
    sealed_values: bytes | None
    status: EmailStatus
    attempts: int
    next_attempt_at: int | None
    give_up_at: int
    claim: str | None
    last_error: str | None
    created_at: int
    sent_at: int | None
    purge_at: int


class Delivery(msgspec.Struct, frozen=True):
    """What came of sending what was due in a tenant. `next_at`: when there is more, in milliseconds, or None."""

    next_at: int | None = None
    server_is_down: bool = False
