"""Mail over SMTP, with a real server at the other end."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from hellojohn_server.kit.mail import Mail, MailDelayed, MailFailure, MailRefused, MailServerDown
from hellojohn_server.kit.smtp import SmtpOptions, SmtpTls, SmtpTransport
from tests.conftest import START_MS
from tests.smtp_server import SmtpServer

Serve: TypeAlias = Callable[..., Awaitable[SmtpServer]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts servers, which are gone after the test."""
    async with AsyncExitStack() as stack:

        async def start(**options: Any) -> SmtpServer:
            server = SmtpServer(**options)
            await server.start()
            stack.push_async_callback(server.stop)
            return server

        yield start


def transport_to(server: SmtpServer, **options: Any) -> SmtpTransport:
    given = {"tls": SmtpTls.NONE, "hello": "id.example.com", **options}
    return SmtpTransport(SmtpOptions(host="127.0.0.1", port=server.port, **given))


def mail_to(to: str = "alice@example.com", **values: Any) -> Mail:
    given = {
        "message_id": "eml_1@id.example.com",
        "from_name": "Acme, Inc. — Zürich",
        "from_address": "no-reply@id.example.com",
        "subject": "Grüße",
        "text": "Hällo,\nhttps://example.com/\n",
        "html": "<p>Hällo</p>",
        "created_at": START_MS,
    }
    return Mail(to=to, **{**given, **values})


async def test_a_mail_arrives_as_it_was_made(serve: Serve) -> None:
    server = await serve()
    transport = transport_to(server)
    await transport.send(mail_to(reply_to="help@example.com"))
    await transport.close()
    [message] = server.taken
    assert server.recipients == ["alice@example.com"]
    assert message["From"] == '"Acme, Inc. — Zürich" <no-reply@id.example.com>'
    assert message["To"] == "alice@example.com"
    assert message["Reply-To"] == "help@example.com"
    assert message["Subject"] == "Grüße"
    assert message["Date"] == "Mon, 21 Sep 2026 14:13:20 +0000"
    assert message["Message-ID"] == "<eml_1@id.example.com>"
    assert message["Auto-Submitted"] == "auto-generated"
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().splitlines() == ["Hällo,", "https://example.com/"]
    assert html.get_content().splitlines() == ["<p>Hällo</p>"]


async def test_one_connection_serves_many_mails_and_few_serve_many_at_once(serve: Serve) -> None:
    server = await serve()
    transport = transport_to(server)
    for number in range(5):
        await transport.send(mail_to(f"user{number}@example.com"))
    assert server.connections == 1
    await asyncio.gather(*(transport.send(mail_to(f"many{number}@example.com")) for number in range(40)))
    assert server.connections <= 4
    assert len(set(server.recipients)) == len(server.recipients) == 45
    await transport.close()


async def test_an_address_of_other_letters_arrives(serve: Serve) -> None:
    server = await serve()
    transport = transport_to(server)
    await transport.send(mail_to("jürgen@example.com"))
    await transport.close()
    assert server.recipients == ["jürgen@example.com"]


@pytest.mark.parametrize(
    ("answer", "kind", "reason"),
    [
        ("550 5.1.1 no such user alice@example.com", MailRefused, "recipient_refused 550"),
        ("452 4.2.2 alice@example.com is over quota", MailDelayed, "recipient_refused 452"),
        ("421 shutting down", MailServerDown, "recipient_refused 421"),
    ],
)
async def test_a_refusal_says_whether_it_is_for_good(
    serve: Serve, answer: str, kind: type[MailFailure], reason: str
) -> None:
    server = await serve()
    server.refusals["alice@example.com"] = answer
    transport = transport_to(server)
    with pytest.raises(MailFailure) as caught:
        await transport.send(mail_to())
    assert (type(caught.value), caught.value.reason) == (kind, reason)
    await transport.send(mail_to("bob@example.com"))
    await transport.close()
    assert server.recipients == ["bob@example.com"]


async def test_a_content_that_is_too_long_is_refused_for_good(serve: Serve) -> None:
    transport = transport_to(await serve(data_size_limit=2_000))
    with pytest.raises(MailRefused):
        await transport.send(mail_to(text="x\n" * 2_000))
    await transport.close()


async def test_a_server_that_is_not_there_or_went_away_is_down(serve: Serve) -> None:
    server = await serve()
    transport = transport_to(server)
    await transport.send(mail_to())
    await server.stop()
    for _ in range(2):
        with pytest.raises(MailServerDown):
            await transport.send(mail_to())
    await server.start()
    await transport.send(mail_to())
    await transport.close()
    assert len(server.taken) == 2


async def test_a_server_that_says_nothing_is_given_up_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hellojohn_server.kit.smtp._COMMAND_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        options = SmtpOptions(host="127.0.0.1", port=silent.getsockname()[1], tls=SmtpTls.NONE, hello="id.example.com")
        with pytest.raises(MailServerDown, match="timeout"):
            await SmtpTransport(options).send(mail_to())


async def test_the_password_is_shown_to_the_server_and_a_wrong_one_is_said(serve: Serve) -> None:
    server = await serve(auth_require_tls=False, auth_required=True)
    transport = transport_to(server, user="mailer", password="hush-hush")
    await transport.send(mail_to())
    await transport.close()
    assert server.logins == [("mailer", "hush-hush")]
    with pytest.raises(MailServerDown, match="authentication_failed 535"):
        await transport_to(server, user="mailer", password="wrong").send(mail_to())
    with pytest.raises(MailDelayed, match="sender_refused 530"):
        await transport_to(server).send(mail_to())
    assert len(server.taken) == 1


@pytest.mark.parametrize("tls", [SmtpTls.STARTTLS, SmtpTls.TLS])
async def test_no_mail_leaves_in_the_clear_where_tls_is_asked_for(serve: Serve, tls: SmtpTls) -> None:
    server = await serve()
    with pytest.raises(MailServerDown):
        await transport_to(server, tls=tls).send(mail_to())
    assert server.taken == []


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A certificate for 127.0.0.1 that this process trusts, as a server has it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = tmp_path / "certificate.pem", tmp_path / "key.pem"
    certificate_file.write_bytes(certificate.public_bytes(Encoding.PEM))
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate_file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate_file, key_file)
    return context


async def test_mail_leaves_under_tls_from_the_first_byte_or_from_starttls_on(
    serve: Serve, trusted: ssl.SSLContext
) -> None:
    login = {"user": "mailer", "password": "hush-hush"}
    upgraded = await serve(tls_context=trusted, require_starttls=True)
    whole = await serve(ssl=trusted, auth_require_tls=False)
    for server, tls in ((upgraded, SmtpTls.STARTTLS), (whole, SmtpTls.TLS)):
        transport = transport_to(server, tls=tls, **login)
        await transport.send(mail_to())
        await transport.close()
        assert server.recipients == ["alice@example.com"]
        assert server.logins == [("mailer", "hush-hush")]


async def test_a_certificate_that_nobody_vouches_for_is_refused(
    serve: Serve, trusted: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    server = await serve(tls_context=trusted)
    with pytest.raises(MailServerDown):
        await transport_to(server, tls=SmtpTls.STARTTLS).send(mail_to())
    assert server.taken == []
