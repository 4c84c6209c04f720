"""A tenant's settings as they are stored, shown, and asked to be changed."""

import re
from enum import StrEnum
from typing import Annotated, Final
from urllib.parse import urlsplit

import msgspec
from msgspec import UNSET, Meta, UnsetType

from hellojohn_server.kit.mail_settings import (
    SOURCE_RULES,
    MailBody,
    MailChange,
    MailSettings,
    OwnTemplates,
    OwnTexts,
)
from hellojohn_server.kit.merge_patch import merge_patch
from hellojohn_server.kit.passwords import MAX_BYTES, MIN_CHARACTERS
from hellojohn_server.kit.routing import Rule, checked_by, checked_together
from hellojohn_server.kit.times import Duration, Timestamp, duration_seconds, format_time, parse_duration

SHORTEST_IMPERSONATION_SECONDS: Final = 60
LONGEST_IMPERSONATION_SECONDS: Final = 86_400
_ORIGIN: Final = re.compile(r"https?://(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[1-9][0-9]{0,4})?")
_DEFAULT_PORTS: Final = frozenset({("http", 80), ("https", 443)})
_LOCAL_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1"})
FIRST_VERSION: Final = 1
"""The version of settings that nobody has changed."""


class ImpersonationSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Whether there may be impersonations, how long one may last, whether each only looks, and is told to the user."""

    enabled: bool = True
    max_duration: str = "24h"
    always_read_only: bool = False
    notify_user: bool = False


class LockoutSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Whether failed sign-ins lock an address: so many within any stretch of `window`, for `lock_time`."""

    enabled: bool = True
    failures: int = 10
    window: str = "10m"
    lock_time: str = "15m"


class SessionSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How long a session lasts unless it is refreshed, how long at all, and how many of a user's there may be.

    Null: no such end, and any number.
    """

    idle_time: str = "30d"
    lifetime: str | None = None
    max_per_user: int | None = None


class TokenSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How long the tokens pass that sessions are given."""

    access_token_lifetime: str = "15m"


class PasswordSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How long a new password must and may be, in characters, and whether those that are tried first are refused."""

    min_length: int = MIN_CHARACTERS
    max_length: int = MAX_BYTES
    refuse_common: bool = True


class UrlSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The application's own pages that mailed links open, with `token` added to their query; null: the built-in one."""

    reset_url: str | None = None
    verification_url: str | None = None
    invitation_url: str | None = None
    magic_link_url: str | None = None
    organization_invitation_url: str | None = None


class CorsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The origins whose pages may call with a publishable key or an access token (the Fetch standard's CORS)."""

    allowed_origins: list[str] = []


class MfaRequirement(StrEnum):
    """Who must have a second factor."""

    ALL = "all"
    OFF = "off"
    ROLES = "roles"


class WebauthnSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The domain that passkeys are bound to, and the origins that may use them. Without them there are no passkeys."""

    rp_id: str | None = None
    origins: tuple[str, ...] = ()


class MfaSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Who must have a second factor: nobody, everybody, or users with one of `roles`; and whose passkeys are."""

    required: MfaRequirement = MfaRequirement.OFF
    roles: tuple[str, ...] = ()
    webauthn: WebauthnSettings = WebauthnSettings()


class TenantConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a tenant sets for itself. A section that a stored document lacks has its defaults."""

    impersonation: ImpersonationSettings = ImpersonationSettings()
    mail: MailSettings = MailSettings()
    lockout: LockoutSettings = LockoutSettings()
    password: PasswordSettings = PasswordSettings()
    sessions: SessionSettings = SessionSettings()
    tokens: TokenSettings = TokenSettings()
    urls: UrlSettings = UrlSettings()
    cors: CorsSettings = CorsSettings()
    mfa: MfaSettings = MfaSettings()


class StoredConfig(msgspec.Struct, frozen=True):
    """The rows of tenant_settings, or what stands for them before there are any. The time is in milliseconds."""

    config: TenantConfig = TenantConfig()
    templates: OwnTemplates = OwnTemplates()
    updated_at: int = 0
    version: int = FIRST_VERSION


class ConfigBody(TenantConfig, frozen=True, kw_only=True):
    """A tenant's settings. `updated_at` null: they have never been changed."""

    mail: MailBody = MailBody()
    version: int
    updated_at: Timestamp | None


def duration_fault(text: str) -> str | None:
    """Say what is wrong with how long an impersonation may last."""
    seconds = parse_duration(text)
    if seconds is None or not SHORTEST_IMPERSONATION_SECONDS <= seconds <= LONGEST_IMPERSONATION_SECONDS:
        return "Must be a whole number and a unit, such as 1h: one minute (1m) at least, 24 hours (24h) at most."
    return None


ImpersonationDuration = Annotated[Duration, Meta(extra=checked_by(duration_fault))]
"""How long an impersonation lasts, or may last: from one minute to 24 hours."""


def within(shortest: str, longest: str) -> Rule:
    """Return the rule of a duration between these two."""
    least, most = duration_seconds(shortest), duration_seconds(longest)

    def fault(text: str) -> str | None:
        seconds = parse_duration(text)
        if seconds is not None and least <= seconds <= most:
            return None
        return f"Must be a whole number and a unit, such as 1h: {shortest} at least, {longest} at most."

    return fault


Failures = Annotated[int, Meta(ge=3, le=100)]
LockDuration = Annotated[Duration, Meta(description="1m to 24h", extra=checked_by(within("1m", "24h")))]
IdleTime = Annotated[Duration, Meta(description="5m to 365d", extra=checked_by(within("5m", "365d")))]
SessionLifetime = Annotated[Duration, Meta(description="1h to 365d", extra=checked_by(within("1h", "365d")))]
SessionCap = Annotated[int, Meta(ge=1, le=100)]
AccessTokenLifetime = Annotated[Duration, Meta(description="1m to 1h", extra=checked_by(within("1m", "1h")))]
MinLength = Annotated[int, Meta(ge=MIN_CHARACTERS, le=64)]
MaxLength = Annotated[int, Meta(ge=64, le=MAX_BYTES)]
"""The two ranges meet, so that there is always a length that is taken."""


def page_url_fault(text: str) -> str | None:
    """Say what is wrong with the URL of a page that mailed links open."""
    wanted = "Must be an https URL without user, password and fragment; http for localhost only."
    if not text.isascii() or not text.isprintable() or any(letter in text for letter in ' \\"<>#`{}|^'):
        return wanted
    try:
        parts = urlsplit(text)
        is_sound = parts.hostname and parts.port != 0 and "@" not in parts.netloc and "token=" not in parts.query
    except ValueError:
        return wanted
    is_near = parts.scheme == "http" and parts.hostname in _LOCAL_HOSTS
    return None if is_sound and (parts.scheme == "https" or is_near) else wanted


PageUrl = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=2048,
        description="an https URL; http for localhost only",
        extra_json_schema={"format": "uri"},
        extra=checked_by(page_url_fault),
    ),
]


def origin_fault(text: str) -> str | None:
    """Say what is wrong with an origin. Browsers send exactly one form of each, so only that one is taken."""
    wanted = "Must be an origin as browsers send it, such as https://app.example.com; http for localhost only."
    if _ORIGIN.fullmatch(text) is None:
        return wanted
    try:
        parts = urlsplit(text)
        port, host = parts.port, parts.hostname
    except ValueError:
        return wanted
    if host is None or port == 0 or (parts.scheme, port) in _DEFAULT_PORTS:
        return wanted
    return None if parts.scheme == "https" or host in _LOCAL_HOSTS else wanted


def origins_fault(origins: list[str]) -> str | None:
    """Say what is wrong with a list of origins."""
    return None if len(set(origins)) == len(origins) else "Names an origin twice."


Origin = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=255,
        description="scheme, host and, unless it is the usual one, port",
        examples=["https://app.example.com"],
        extra=checked_by(origin_fault),
    ),
]


class CorsChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to change of the origins whose pages may call. The list that is given takes the place of the old one."""

    allowed_origins: (
        Annotated[list[Origin], Meta(max_length=50, extra=checked_by(origins_fault))] | UnsetType | None
    ) = UNSET


PolicyRole = Annotated[str, Meta(min_length=1, max_length=64, description="the name of a role")]


class UrlChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to change of the pages that mailed links open."""

    reset_url: PageUrl | UnsetType | None = UNSET
    verification_url: PageUrl | UnsetType | None = UNSET
    invitation_url: PageUrl | UnsetType | None = UNSET
    magic_link_url: PageUrl | UnsetType | None = UNSET
    organization_invitation_url: PageUrl | UnsetType | None = UNSET


class ImpersonationChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to change of impersonation."""

    enabled: bool | UnsetType | None = UNSET
    max_duration: ImpersonationDuration | UnsetType | None = UNSET
    always_read_only: bool | UnsetType | None = UNSET
    notify_user: bool | UnsetType | None = UNSET


class LockoutChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to change of the lock by failed sign-ins."""

    enabled: bool | UnsetType | None = UNSET
    failures: Failures | UnsetType | None = UNSET
    window: LockDuration | UnsetType | None = UNSET
    lock_time: LockDuration | UnsetType | None = UNSET


class SessionChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to change of how long sessions last, and how many there may be."""

    idle_time: IdleTime | UnsetType | None = UNSET
    lifetime: SessionLifetime | UnsetType | None = UNSET
    max_per_user: SessionCap | UnsetType | None = UNSET


class TokenChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to change of how long tokens pass."""

    access_token_lifetime: AccessTokenLifetime | UnsetType | None = UNSET


class PasswordChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to change of which passwords may be chosen."""

    min_length: MinLength | UnsetType | None = UNSET
    max_length: MaxLength | UnsetType | None = UNSET
    refuse_common: bool | UnsetType | None = UNSET


RelyingPartyId = Annotated[
    str, Meta(pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$", description="a domain, such as example.com")
]


class WebauthnChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to change of passkeys. Those that were made for another domain are of no use then."""

    rp_id: RelyingPartyId | UnsetType | None = UNSET
    origins: Annotated[list[Origin], Meta(max_length=50, extra=checked_by(origins_fault))] | UnsetType | None = UNSET


class MfaChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to change of who must have a second factor. `roles` count where `required` is roles."""

    required: MfaRequirement | UnsetType | None = UNSET
    roles: Annotated[list[PolicyRole], Meta(max_length=100)] | UnsetType | None = UNSET
    webauthn: WebauthnChange | UnsetType | None = UNSET


@checked_together(*SOURCE_RULES)
class UpdateConfigBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to change; what is absent stays, and null puts a setting or a section back to its default (RFC 7396)."""

    impersonation: ImpersonationChange | UnsetType | None = UNSET
    mail: MailChange | UnsetType | None = UNSET
    lockout: LockoutChange | UnsetType | None = UNSET
    password: PasswordChange | UnsetType | None = UNSET
    sessions: SessionChange | UnsetType | None = UNSET
    tokens: TokenChange | UnsetType | None = UNSET
    urls: UrlChange | UnsetType | None = UNSET
    cors: CorsChange | UnsetType | None = UNSET
    mfa: MfaChange | UnsetType | None = UNSET


def changed_config(config: TenantConfig, change: UpdateConfigBody) -> TenantConfig:
    """Return the settings after a change."""
    merged = merge_patch(msgspec.to_builtins(config), msgspec.to_builtins(change))
    return msgspec.convert(merged, TenantConfig)


def changed_templates(templates: OwnTemplates, change: UpdateConfigBody) -> OwnTemplates:
    """Return the texts of mails after a change; a mail of which every text is the built-in one has none."""
    if change.mail is UNSET:
        return templates
    if change.mail is None or change.mail.templates is None:
        return OwnTemplates()
    if change.mail.templates is UNSET:
        return templates
    merged = merge_patch(msgspec.to_builtins(templates), msgspec.to_builtins(change.mail.templates))
    changed = msgspec.convert(merged, OwnTemplates)
    bare = {name: None for name, texts in msgspec.structs.asdict(changed).items() if texts == OwnTexts()}
    return msgspec.structs.replace(changed, **bare)


class _Policy(msgspec.Struct, frozen=True):
    mfa: MfaSettings = MfaSettings()


def config_in(document: str | None) -> TenantConfig:
    """Return the settings of a stored document; None: nobody has changed them."""
    return TenantConfig() if document is None else msgspec.json.decode(document, type=TenantConfig)


def mfa_settings_in(document: str | None) -> MfaSettings:
    """Return who must have a second factor, of a stored document; None: nobody has changed the settings."""
    return MfaSettings() if document is None else msgspec.json.decode(document, type=_Policy).mfa


def must_enroll(settings: MfaSettings, role: str, *, enrolled: bool) -> bool:
    """Say whether a user of this role lacks the second factor that the tenant asks for."""
    if enrolled or settings.required is MfaRequirement.OFF:
        return False
    return settings.required is MfaRequirement.ALL or role in settings.roles


def config_body(stored: StoredConfig) -> ConfigBody:
    """Return what is shown of a tenant's settings."""
    sections = msgspec.structs.asdict(stored.config)
    sections["mail"] = MailBody(**msgspec.structs.asdict(stored.config.mail), templates=stored.templates)
    return ConfigBody(
        **sections,
        version=stored.version,
        updated_at=None if stored.version == FIRST_VERSION else format_time(stored.updated_at),
    )
