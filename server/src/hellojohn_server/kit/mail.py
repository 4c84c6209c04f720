"""A mail as it leaves, what carries it away, and how carrying can fail."""

from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final, Protocol

import msgspec

_KEPT: Final = 500


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """One mail to one person. `message_id` (without brackets) is the same each time it is tried; the time in ms."""

    message_id: str
    from_name: str
    from_address: str
    reply_to: str | None = None
    to: str
    subject: str
    text: str
    html: str
    created_at: int


class MailFailure(Exception):
    """The mail did not go out. `reason` is short and says nothing of the person."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class MailRefused(MailFailure):
    """The mail will never be taken."""


class MailDelayed(MailFailure):
    """The mail was not taken now, and may be later."""


class MailServerDown(MailFailure):
    """No mail can be handed over now."""


class Transport(Protocol):
    """Carries mail away."""

    async def send(self, mail: Mail) -> None:
        """Return when somebody has taken responsibility for `mail`; raise a MailFailure otherwise."""
        ...

    async def close(self) -> None:
        """Let go of every connection."""
        ...


class Mailbox(Transport):
    """Keeps mails in this process, the last 500 of them, in place of sending them: for `hj dev` and for tests.

    `failure` is raised by `send` as long as it is set.
    """

    def __init__(self) -> None:
        self.failure: MailFailure | None = None
        self._mails: deque[Mail] = deque(maxlen=_KEPT)

    @property
    def mails(self) -> Sequence[Mail]:
        """What is kept, the oldest first."""
        return tuple(self._mails)

    async def send(self, mail: Mail) -> None:
        if self.failure is not None:
            raise self.failure
        self._mails.append(mail)

    async def close(self) -> None:
        return


def message_of(mail: Mail) -> EmailMessage:
    """Return a mail in the form of RFC 5322, text and HTML as alternatives; ValueError if it fits into none."""
    message = EmailMessage(policy=SMTP)
    message["From"] = _address(mail.from_address, mail.from_name)
    message["To"] = _address(mail.to)
    if mail.reply_to is not None:
        message["Reply-To"] = _address(mail.reply_to)
    message["Subject"] = mail.subject
    message["Date"] = datetime.fromtimestamp(mail.created_at / 1000, UTC)
    message["Message-ID"] = f"<{mail.message_id}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers, please
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    return message


def _address(address: str, name: str = "") -> Address:
    user, _, domain = address.rpartition("@")
    return Address(name, user, domain)
