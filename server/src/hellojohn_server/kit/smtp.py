"""Mail over SMTP (RFC 5321): a few connections that are opened when there is mail, and used again."""

import asyncio
import contextlib
import ssl
import time
from enum import StrEnum
from typing import Final

import aiosmtplib
import msgspec

from hellojohn_server.kit.mail import Mail, MailDelayed, MailFailure, MailRefused, MailServerDown, Transport, message_of

_CONNECTIONS: Final = 4
_COMMAND_SECONDS: Final = 15.0
SEND_SECONDS: Final = 60.0
"""The longest that one mail may take, the connection included."""
_IDLE_SECONDS: Final = 20.0
_MAILS_EACH: Final = 100
_UNAVAILABLE: Final = 421
_PERMANENT: Final = 500
_TOO_LARGE: Final = 552
"""RFC 1870: said of the sender already, where the size of the mail is announced."""


class SmtpTls(StrEnum):
    """How the connection is protected: from its first byte, from STARTTLS on (required), or not at all."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


class SmtpOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Which server takes our mail. `hello` is the name that we give."""

    host: str
    port: int
    tls: SmtpTls
    hello: str
    user: str | None = None
    password: str | None = None


class _Connection:
    def __init__(self, client: aiosmtplib.SMTP) -> None:
        self.client = client
        self.sent = 0
        self.used_at = time.monotonic()

    @property
    def is_good(self) -> bool:
        """Whether it may be used once more: servers close what idles, and some what has carried much."""
        fresh = time.monotonic() - self.used_at < _IDLE_SECONDS
        return self.client.is_connected and fresh and self.sent < _MAILS_EACH


class SmtpTransport(Transport):
    """Sends through one server, over four connections at most. Each step of the protocol has its time limit."""

    def __init__(self, options: SmtpOptions) -> None:
        self._options = options
        self._free: list[_Connection] = []
        self._slots = asyncio.Semaphore(_CONNECTIONS)

    async def send(self, mail: Mail) -> None:
        async with self._slots:
            try:
                async with asyncio.timeout(SEND_SECONDS):
                    connection = await self._connection()
                    await self._send_over(connection, mail)
            except TimeoutError as error:
                raise MailServerDown("timeout") from error

    async def close(self) -> None:
        while self._free:
            await _part_from(self._free.pop())

    async def _connection(self) -> _Connection:
        while self._free:
            connection = self._free.pop()
            if connection.is_good:
                return connection
            await _part_from(connection)
        options = self._options
        client = aiosmtplib.SMTP(
            hostname=options.host,
            port=options.port,
            username=options.user,
            password=options.password,
            local_hostname=options.hello,
            timeout=_COMMAND_SECONDS,
            use_tls=options.tls is SmtpTls.TLS,
            start_tls=options.tls is SmtpTls.STARTTLS,
        )
        try:
            await client.connect()
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            client.close()
            raise MailServerDown(_reason(error, "starttls_or_login_not_offered")) from error
        except BaseException:
            client.close()
            raise
        return _Connection(client)

    async def _send_over(self, connection: _Connection, mail: Mail) -> None:
        """Send, and keep the connection if it is still in a known state."""
        try:
            await connection.client.send_message(message_of(mail), sender=mail.from_address, recipients=[mail.to])
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            failure = _failure_of(error)
            if isinstance(failure, MailServerDown):
                connection.client.close()
            else:
                self._keep(connection)
            raise failure from error
        except BaseException:
            connection.client.close()
            raise
        self._keep(connection)

    def _keep(self, connection: _Connection) -> None:
        connection.sent += 1
        connection.used_at = time.monotonic()
        self._free.append(connection)


async def _part_from(connection: _Connection) -> None:
    with contextlib.suppress(aiosmtplib.SMTPException, OSError):
        if connection.client.is_connected:
            await connection.client.quit(timeout=1)
    connection.client.close()


def _failure_of(error: Exception) -> MailFailure:
    """Return what an error in sending means: for this mail for good, for this mail now, or for every mail now.

    A sender that is refused is a matter of settings, which the operator may put right: it is not for good.
    """
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        error = error.recipients[0]
    if isinstance(error, aiosmtplib.SMTPNotSupported | ValueError):
        return MailRefused("address_not_supported")
    if isinstance(error, aiosmtplib.SMTPSenderRefused) and error.code == _TOO_LARGE:
        return MailRefused(f"content_refused {error.code}")
    if isinstance(error, aiosmtplib.SMTPResponseException) and error.code != _UNAVAILABLE:
        of_this_mail = isinstance(error, aiosmtplib.SMTPRecipientRefused | aiosmtplib.SMTPDataError)
        kind = MailRefused if of_this_mail and error.code >= _PERMANENT else MailDelayed
        return kind(_reason(error))
    return MailServerDown(_reason(error))


_REASONS: Final[tuple[tuple[type[Exception], str], ...]] = (
    (aiosmtplib.SMTPRecipientRefused, "recipient_refused"),
    (aiosmtplib.SMTPSenderRefused, "sender_refused"),
    (aiosmtplib.SMTPDataError, "content_refused"),
    (aiosmtplib.SMTPAuthenticationError, "authentication_failed"),
    (TimeoutError, "timeout"),
    (ssl.SSLError, "tls_failed"),
    (aiosmtplib.SMTPServerDisconnected, "disconnected"),
    (ConnectionError, "connection_failed"),
    (OSError, "connection_failed"),
)


def _reason(error: Exception, otherwise: str = "refused") -> str:
    """Return the class of an error and the code of the server's reply. Its words may name the person: they stay out."""
    name = next((name for kind, name in _REASONS if isinstance(error, kind)), otherwise)
    return f"{name} {error.code}" if isinstance(error, aiosmtplib.SMTPResponseException) else name
