"""What carries mail away, as the settings say."""

from typing import Final
from urllib.parse import urlsplit

from hellojohn_server.config import Settings
from hellojohn_server.kit.mail import Mailbox, Transport
from hellojohn_server.kit.smtp import SmtpOptions, SmtpTls, SmtpTransport

_PORTS: Final = {SmtpTls.NONE: 25, SmtpTls.STARTTLS: 587, SmtpTls.TLS: 465}


def make_transport(settings: Settings, *, dev: bool = False) -> Transport | None:
    """Return the way to the SMTP server of the settings; without one a mailbox in `hj dev`, else None."""
    if settings.smtp_host is None:
        return Mailbox() if dev else None
    password = settings.smtp_password
    return SmtpTransport(
        SmtpOptions(
            host=settings.smtp_host,
            port=settings.smtp_port or _PORTS[settings.smtp_tls],
            tls=settings.smtp_tls,
            hello=_domain_of(settings),
            user=settings.smtp_user,
            password=None if password is None else password.value,
        )
    )


def sender_of(settings: Settings) -> str:
    """Return the address that mail comes from."""
    return settings.smtp_from or f"no-reply@{_domain_of(settings)}"


def _domain_of(settings: Settings) -> str:
    if settings.smtp_from is not None:
        return settings.smtp_from.rpartition("@")[2]
    return urlsplit(settings.public_url or "").hostname or "localhost"
