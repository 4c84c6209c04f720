"""A real SMTP server on a port of its own, which a test starts, stops, and has refuse."""

import asyncio
import contextlib
import socket
import ssl
import warnings
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


class SmtpServer:
    """Takes mail on 127.0.0.1. `refusals` maps a recipient to the answer that it gets (`550 no such user`)."""

    def __init__(self, **options: Any) -> None:
        self.port = _free_port()
        self.taken: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.connections = 0
        self.logins: list[tuple[str, str]] = []
        self.refusals: dict[str, str] = {}
        self._options = options
        self._ssl: ssl.SSLContext | None = options.pop("ssl", None)
        self._server: asyncio.Server | None = None
        self._open: list[asyncio.BaseTransport] = []

    async def start(self) -> None:
        """Listen."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._connected, "127.0.0.1", self.port, ssl=self._ssl)

    async def stop(self) -> None:
        """Go away, with every connection."""
        if self._server is None:
            return
        self._server.close()
        for transport in self._open:
            with contextlib.suppress(OSError):
                transport.abort()  # type: ignore[attr-defined] - the transports of sockets have it
        self._open.clear()
        self._server = None

    def _connected(self) -> SMTP:
        self.connections += 1
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Requiring AUTH while not requiring TLS")
            made = SMTP(
                self,
                hostname="localhost",
                loop=asyncio.get_running_loop(),
                enable_SMTPUTF8=True,
                authenticator=self._authenticate,
                **self._options,
            )
        began = made.connection_made

        def connection_made(transport: Any) -> None:
            self._open.append(transport)
            began(transport)

        made.connection_made = connection_made  # type: ignore[method-assign] - to know of every transport
        return made

    def _authenticate(self, *given: Any) -> AuthResult:
        login = given[-1]
        assert isinstance(login, LoginPassword)
        self.logins.append((login.login.decode(), login.password.decode()))
        return AuthResult(success=self.logins[-1] == ("mailer", "hush-hush"), handled=False)

    async def handle_RCPT(  # noqa: N802 - the name that aiosmtpd looks for
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Answer who mail may go to."""
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - the same
        """Take a mail."""
        content = envelope.content
        assert isinstance(content, bytes)
        message = message_from_bytes(content, policy=policy.default)
        self.taken.append(message)
        self.recipients.extend(envelope.rcpt_tos)
        return "250 taken"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
