"""What a setting can be beside text, numbers and switches: types that are made of it, and say what is wrong with it."""

import base64
import binascii
import hmac
import ipaddress
import re
from enum import StrEnum
from typing import Final, Self
from urllib.parse import SplitResult, parse_qsl, urlsplit

from hellojohn_server.kit.addresses import Network
from hellojohn_server.kit.emails import is_email

_UNREADABLE: Final = (
    "must read as postgresql://user:password@host:5432/database, with a port of at most 65535; in user and password "
    "write % as %25, / as %2F, : as %3A, @ as %40, ? as %3F and # as %23"
)
_KEY_BYTES: Final = 32
_TOKEN_CHARACTERS: Final = 16
_BEARER_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""RFC 6750 section 2.1: what can be sent as a bearer token."""


class EncryptionKey:
    """The 32 bytes that everything secret is sealed under. Never shown, not even by repr."""

    __slots__ = ("value",)

    def __init__(self, text: str) -> None:
        try:
            self.value = base64.b64decode(text.strip(), validate=True)
        except (binascii.Error, ValueError) as error:
            raise ValueError("is not base64") from error
        if len(self.value) != _KEY_BYTES:
            raise ValueError(f"is base64 of {len(self.value)} bytes and must be of exactly {_KEY_BYTES}")

    def __repr__(self) -> str:
        return "EncryptionKey(...)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EncryptionKey) and other.value == self.value

    def __hash__(self) -> int:
        return hash(self.value)


class DatabaseUrl:
    """Where PostgreSQL is. Its repr leaves out user and password."""

    __slots__ = ("value",)

    def __init__(self, text: str) -> None:
        try:
            parts = urlsplit(text)
            is_readable = _is_readable(parts)
        except ValueError:
            raise ValueError(_UNREADABLE) from None
        if parts.scheme not in {"postgresql", "postgres"}:
            raise ValueError(
                "must start with postgresql:// (leave it unset to use the embedded store in the data directory)"
            )
        if not is_readable:
            raise ValueError(_UNREADABLE)
        if not parts.path.strip("/") and "dbname=" not in parts.query:
            raise ValueError("must name a database: postgresql://user:password@host:5432/database")
        self.value = text

    @property
    def place(self) -> str:
        """The host, port and database, without what is secret."""
        parts = urlsplit(self.value)
        return f"{parts.netloc.rpartition('@')[2] or 'localhost'}{parts.path}"

    def __repr__(self) -> str:
        return f"DatabaseUrl(postgresql://{self.place})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DatabaseUrl) and other.value == self.value

    def __hash__(self) -> int:
        return hash(self.value)


def _is_readable(parts: SplitResult) -> bool:
    """Say whether the driver finds hosts and ports in their places (several, or in options), and no password there.

    ValueError says no too; its words may show a piece of the password.
    """
    if parts.netloc.count("@") > 1 or "@" in parts.path or parts.fragment:
        return False
    options = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
    lists = (parts.netloc.rpartition("@")[2], options.get("host"))
    hosts = [host for listed in lists if listed for host in listed.split(",") if not host.startswith("/")]
    places = [urlsplit(f"//{host}") for host in hosts]
    places += [urlsplit(f"//host:{port}") for port in options.get("port", "").split(",")]
    return all(place.hostname and place.port != 0 for place in places)


class _Secret:
    """A text that is never shown, not even by repr."""

    __slots__ = ("value",)

    def __init__(self, text: str) -> None:
        self.value = text

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and other.value == self.value

    def __hash__(self) -> int:
        return hash(self.value)


class MetricsToken(_Secret):
    """What opens /metrics."""

    __slots__ = ()

    def __init__(self, text: str) -> None:
        if len(text) < _TOKEN_CHARACTERS:
            raise ValueError(f"must have at least {_TOKEN_CHARACTERS} characters")
        if _BEARER_TOKEN.fullmatch(text) is None:
            raise ValueError("may have only letters, digits and - . _ ~ + / of ASCII, and = at its end")
        super().__init__(text)

    def matches(self, credential: str) -> bool:
        """Say whether `credential`, a text in ASCII, is this token; in the same time wherever they differ."""
        return hmac.compare_digest(credential, self.value)


class SmtpPassword(_Secret):
    """What we show the mail server."""

    __slots__ = ()


class SenderAddress(str):
    """The address that mail comes from."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        if not is_email(text):
            raise ValueError("must be an address such as no-reply@id.example.com, without a name")
        return super().__new__(cls, text)


class PublicUrl(str):
    """The address that clients see, without a slash at its end."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        parts = urlsplit(text)
        if parts.scheme not in {"https", "http"} or not parts.hostname:
            raise ValueError("must be an address such as https://id.example.com")
        if parts.query or parts.fragment or parts.username is not None:
            raise ValueError("must have no user, query or fragment")
        return super().__new__(cls, text.rstrip("/"))


class ProxyHeader(StrEnum):
    """The header in which trusted proxies write where a request came from."""

    FORWARDED = "forwarded"
    X_FORWARDED_FOR = "x-forwarded-for"


class TrustedProxies(tuple[Network, ...]):
    """Networks of proxies that are believed."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        names = [name.strip() for name in text.split(",") if name.strip()]
        try:
            return super().__new__(cls, [ipaddress.ip_network(name) for name in names])
        except ValueError as error:
            raise ValueError("must be addresses or networks, separated by commas, such as 10.0.0.0/8") from error

    def __str__(self) -> str:
        return ",".join(str(network) for network in self)
