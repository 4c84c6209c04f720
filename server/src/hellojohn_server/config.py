"""Every setting of the service: one frozen class, read from HELLOJOHN_* environment variables.

The text beside each setting is what `hj serve --help` prints and what docs/configuration.md says.
"""

import base64
import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from hellojohn_server.kit.setting_values import (
    DatabaseUrl,
    EncryptionKey,
    MetricsToken,
    ProxyHeader,
    PublicUrl,
    SenderAddress,
    SmtpPassword,
    TrustedProxies,
)
from hellojohn_server.kit.smtp import SmtpTls

PREFIX: Final = "HELLOJOHN_"
KEY_FILE: Final = "encryption.key"
"""The file in the data directory that `hj dev` keeps the encryption key in."""

CLIENT_VARIABLES: Final = frozenset(
    {
        "HELLOJOHN_ACCESS_TOKEN",
        "HELLOJOHN_API_URL",
        "HELLOJOHN_MASTER_KEY",
        "HELLOJOHN_PROFILE",
        "HELLOJOHN_PUBLISHABLE_KEY",
        "HELLOJOHN_SECRET_KEY",
    }
)
"""Names that belong to applications and commands which call the service; the service itself leaves them alone."""

_INJECTED: Final = re.compile(
    r"HELLOJOHN_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT_[0-9]+_(TCP|UDP)(_(PROTO|PORT|ADDR))?)"
)
"""What Kubernetes sets in every container of a namespace that has a Service named hellojohn, besides HELLOJOHN_PORT."""

NO_KEY: Final = (
    "HELLOJOHN_ENCRYPTION_KEY is required. Make one with `openssl rand -base64 32` and keep it safe: without it, what "
    "is sealed in the store is lost. (There is no key file of `hj dev` either: {path}.)"
)

_THIS_MACHINE: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class ConfigError(Exception):
    """Settings that cannot be used. `problems` has one sentence for each, all at once."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problems))


class LogLevel(StrEnum):
    """The least serious log line that is written."""

    CRITICAL = "critical"
    DEBUG = "debug"
    ERROR = "error"
    INFO = "info"
    WARNING = "warning"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings. Each is HELLOJOHN_<NAME>; where `hj serve` has an option of that name, the option wins."""

    data_dir: Annotated[
        Path,
        Meta(description="Directory of the embedded store and of the key file that `hj dev` makes."),
    ] = Path(".hellojohn")
    database_url: Annotated[
        DatabaseUrl | None,
        Meta(description="PostgreSQL, as postgresql://user:password@host:5432/database. Unset: the embedded store."),
    ] = None
    encryption_key: Annotated[
        EncryptionKey | None,
        Meta(
            description="Base64 of 32 random bytes, to seal secrets under. Unset: the key file in the data directory."
        ),
    ] = None
    public_url: Annotated[
        PublicUrl | None,
        Meta(description="The address that clients reach the service at. `hj serve` requires it."),
    ] = None
    host: Annotated[str, Meta(min_length=1, description="Address to listen on.")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65_535, description="Port to listen on; 0 takes a free one.")] = 3000
    workers: Annotated[int, Meta(ge=1, le=256, description="Server processes. More than one needs PostgreSQL.")] = 1
    log_level: Annotated[LogLevel, Meta(description="debug, info, warning, error or critical.")] = LogLevel.INFO
    trusted_proxies: Annotated[
        TrustedProxies,
        Meta(description="Proxies that are believed where a request comes from: addresses or networks, with commas."),
    ] = TrustedProxies("")
    proxy_header: Annotated[
        ProxyHeader, Meta(description="The header in which they write it: x-forwarded-for or forwarded (RFC 7239).")
    ] = ProxyHeader.X_FORWARDED_FOR
    metrics_token: Annotated[
        MetricsToken | None,
        Meta(description="Bearer token that opens /metrics to other machines, of 16 characters or more."),
    ] = None
    smtp_host: Annotated[
        str | None,
        Meta(description="SMTP server for mail. Unset: no mail (`hj dev` shows it on a page)."),
    ] = None
    smtp_port: Annotated[
        int, Meta(ge=0, le=65_535, description="Its port; 0 is 587 with starttls, 465 with tls, 25 with none.")
    ] = 0
    smtp_tls: Annotated[
        SmtpTls, Meta(description="starttls (required of the server), tls (from the first byte), or none.")
    ] = SmtpTls.STARTTLS
    smtp_user: Annotated[str | None, Meta(description="The name to log in with. Unset: no login.")] = None
    smtp_password: Annotated[SmtpPassword | None, Meta(description="The password to log in with.")] = None
    smtp_from: Annotated[
        SenderAddress | None,
        Meta(description="Address that all mail comes from. Required with HELLOJOHN_SMTP_HOST."),
    ] = None
    rate_limit_enabled: Annotated[
        bool, Meta(description="Whether the limits below, on how often callers may call, apply.")
    ] = True
    rate_limit_sign_in: Annotated[
        int, Meta(ge=0, le=1_000_000, description="Sign-ins a minute from one IP address, in each tenant; 0: no limit.")
    ] = 10
    rate_limit_sign_up: Annotated[
        int, Meta(ge=0, le=1_000_000, description="Sign-ups a minute from one IP address, in each tenant; 0: no limit.")
    ] = 5
    rate_limit_refresh: Annotated[
        int,
        Meta(
            ge=0,
            le=1_000_000,
            description="Refreshes a minute from one IP address, in each tenant; 0: no limit.",
        ),
    ] = 60
    rate_limit_forgot: Annotated[
        int,
        Meta(ge=0, le=1_000_000, description="Forgotten passwords in ten minutes of one address; 0: no limit."),
    ] = 5
    rate_limit_reads: Annotated[
        int, Meta(ge=0, le=1_000_000, description="Reads a minute with one key, or of one user; 0: no limit.")
    ] = 1000
    rate_limit_writes: Annotated[
        int, Meta(ge=0, le=1_000_000, description="Changes a minute with one key, or of one user; 0: no limit.")
    ] = 500
    rate_limit_bulk: Annotated[
        int, Meta(ge=0, le=1_000_000, description="Bulk acts a minute with one key; 0: no limit.")
    ] = 50
    rate_limit_key_failures: Annotated[
        int, Meta(ge=0, le=1_000_000, description="Wrong credentials a minute from one IP address; 0: no limit.")
    ] = 60
    sign_in_floor_ms: Annotated[
        int,
        Meta(
            ge=0,
            le=5000,
            description="The least time that a refused sign-in takes, so that it tells nothing about the address. "
            "Raised by itself to the slowest check of a password in the last five to ten minutes.",
        ),
    ] = 400
    max_upload_bytes: Annotated[
        int, Meta(ge=1, le=1_099_511_627_776, description="The largest file that is taken for an import, in bytes.")
    ] = 8_589_934_592
    request_seconds: Annotated[
        int, Meta(ge=1, le=3600, description="How long a request may take until its answer begins, its body included.")
    ] = 60
    concurrent_requests: Annotated[
        int, Meta(ge=1, le=100_000, description="How many requests each process works on at once; more get 503.")
    ] = 1000
    revocation_streams: Annotated[
        int, Meta(ge=1, le=100_000, description="How many streams of revocations each process keeps open.")
    ] = 250
    connections: Annotated[
        int, Meta(ge=1, le=1_000_000, description="How many connections each process keeps open; more get 503.")
    ] = 10_000
    shutdown_seconds: Annotated[
        int, Meta(ge=0, le=3600, description="How long running requests may take to finish when the server is stopped.")
    ] = 30
    keep_alive_seconds: Annotated[
        int, Meta(ge=1, le=3600, description="How long an idle connection stays open. Longer than your proxy's own.")
    ] = 75
    backlog: Annotated[int, Meta(ge=1, le=65_535, description="Connections that may wait to be accepted.")] = 2048
    housekeeping_seconds: Annotated[
        int, Meta(ge=1, le=86_400, description="Time between two looks for what is due, such as bans that have ended.")
    ] = 30
    sqlite_open_files: Annotated[
        int, Meta(ge=4, le=100_000, description="Tenant files of the embedded store that are kept open.")
    ] = 128
    postgres_connections: Annotated[
        int, Meta(ge=1, le=1000, description="Connections to PostgreSQL that each process opens for tenants' data.")
    ] = 10
    postgres_control_connections: Annotated[
        int, Meta(ge=1, le=1000, description="The same for tenants and master keys.")
    ] = 4
    postgres_long_connections: Annotated[
        int, Meta(ge=1, le=1000, description="The same for reads that may take long; so many for each of the two.")
    ] = 2


class Setting(msgspec.Struct, frozen=True):
    """What is known of one setting: its field, variable, doc line, and default as text (None: unset)."""

    field: str
    variable: str
    doc: str
    default: str | None
    type: Any


def settings_list() -> Iterator[Setting]:
    """Yield every setting, in the order of the class."""
    hints = get_type_hints(Settings, include_extras=True)
    for field in msgspec.structs.fields(Settings):
        annotation = hints[field.name]
        described = next(meta.description for meta in get_args(annotation)[1:] if meta.description)
        default = None if field.default in (None, "") or field.default == () else _text(field.default)
        yield Setting(field.name, PREFIX + field.name.upper(), described, default, annotation)


def load_settings(environ: Mapping[str, str], *, required: tuple[str, ...] = ()) -> Settings:
    """Return the settings in `environ`. A variable that is empty counts as unset.

    Raises ConfigError listing every unknown HELLOJOHN_* name, every value that cannot be used, and every one of the
    `required` fields that is not set. Values of secrets never appear in it. What Kubernetes sets is left alone.
    """
    known = {setting.variable: setting for setting in settings_list()}
    given = {name: text for name, text in environ.items() if name.startswith(PREFIX) and not is_injected(name, text)}
    problems = [_unknown(name, known) for name in sorted(given) if name not in known and name not in CLIENT_VARIABLES]
    values: dict[str, Any] = {}
    for variable, setting in known.items():
        text = given.get(variable, "").strip()
        if not text:
            continue
        try:
            values[setting.field] = msgspec.convert(text, setting.type, strict=False, dec_hook=_decode)
        except msgspec.ValidationError as error:
            problems.append(f"{variable} {_reason(setting, error)}.")
    problems += [
        f"{known[variable].variable} is required. {known[variable].doc}"
        for variable in known
        if known[variable].field in required
        and known[variable].field not in values
        and not given.get(variable, "").strip()
    ]
    problems += _smtp_problems(values, given)
    if problems:
        raise ConfigError(problems)
    return Settings(**values)


def _smtp_problems(values: Mapping[str, Any], given: Mapping[str, str]) -> Iterator[str]:
    """Yield what is wrong between the settings of mail. One that is given and cannot be read is no missing one."""
    names = [name for name in Settings.__struct_fields__ if name.startswith("smtp_")]
    there = {name for name in names if given.get(PREFIX + name.upper(), "").strip()}
    if "smtp_host" not in there:
        lonely = [PREFIX + name.upper() for name in names if name in there]
        if lonely:
            yield f"Without HELLOJOHN_SMTP_HOST, the server that takes mail, these mean nothing: {', '.join(lonely)}."
        return
    if "smtp_from" not in there:
        yield "HELLOJOHN_SMTP_FROM is required with HELLOJOHN_SMTP_HOST: the address that all mail comes from."
    if ("smtp_user" in there) != ("smtp_password" in there):
        yield "HELLOJOHN_SMTP_USER and HELLOJOHN_SMTP_PASSWORD belong together: set both, or neither."
    in_the_clear = values.get("smtp_tls") is SmtpTls.NONE and values.get("smtp_host") not in _THIS_MACHINE
    if in_the_clear and "smtp_password" in there:
        yield (
            "HELLOJOHN_SMTP_TLS is none and would send HELLOJOHN_SMTP_PASSWORD readable over the network. Use starttls "
            "or tls, or leave out the password."
        )


def to_environ(settings: Settings) -> dict[str, str]:
    """Return the variables that load_settings reads as `settings`; for the workers. Without mail: none of mail."""
    return {
        setting.variable: _text(value)
        for setting in settings_list()
        if (value := getattr(settings, setting.field)) is not None
        and (settings.smtp_host is not None or not setting.field.startswith("smtp_"))
    }


def with_encryption_key(settings: Settings) -> Settings:
    """Return `settings` with the key from the data directory's key file when none is set.

    Raises ConfigError when there is none in either place, or the file cannot be read or holds no key.
    """
    if settings.encryption_key is not None:
        return settings
    path = settings.data_dir / KEY_FILE
    try:
        key = EncryptionKey(path.read_text(encoding="ascii"))
    except FileNotFoundError as error:
        raise ConfigError([NO_KEY.format(path=path)]) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"The key file {path} cannot be read: {error}."]) from error
    except ValueError as error:
        raise ConfigError([f"The key file {path} holds no key: it {error}."]) from error
    return msgspec.structs.replace(settings, encryption_key=key)


def is_injected(name: str, text: str) -> bool:
    """Say whether Kubernetes set this variable for a Service named hellojohn; its HELLOJOHN_PORT is an address."""
    if name == "HELLOJOHN_PORT":
        return text.startswith(("tcp://", "udp://"))
    return _INJECTED.fullmatch(name) is not None


def _unknown(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"{name} is not a setting." + (f" Did you mean {near[0]}?" if near else "")


_OWN_TYPES: Final = (
    Path,
    EncryptionKey,
    DatabaseUrl,
    MetricsToken,
    PublicUrl,
    SenderAddress,
    SmtpPassword,
    TrustedProxies,
)


def _decode(wanted: Any, text: Any) -> Any:
    """Make one of our own types of a setting's text; for msgspec.convert, which turns ValueError into its own error."""
    for candidate in get_args(wanted) or (wanted,):
        if candidate in _OWN_TYPES:
            return candidate(text)
    raise NotImplementedError(f"{get_origin(wanted) or wanted}")


def _text(value: Any) -> str:
    if isinstance(value, EncryptionKey):
        return base64.b64encode(value.value).decode()
    if isinstance(value, DatabaseUrl | MetricsToken | SmtpPassword):
        return value.value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _reason(setting: Setting, error: msgspec.ValidationError) -> str:
    """Return what is wrong as the end of a sentence that starts with the variable; our own types say it themselves."""
    wanted, *facts = get_args(setting.type)
    if wanted is bool:
        return "must be true or false"
    if wanted is LogLevel:
        return "must be debug, info, warning, error or critical"
    if wanted is ProxyHeader:
        return "must be x-forwarded-for or forwarded"
    if wanted is SmtpTls:
        return "must be starttls, tls or none"
    if wanted is int:
        meta = next(fact for fact in facts if isinstance(fact, Meta))
        return f"must be a whole number from {meta.ge} to {meta.le}"
    return str(error)
