"""The types of `admin.config`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, TypeAlias, TypedDict

import msgspec

from hellojohn._known import Known

MfaRequirement: TypeAlias = Literal["all", "off", "roles"]
"""Who must have a second factor."""


class ImpersonationSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Whether there may be impersonations, how long one may last, whether each only looks, and is told to the user."""

    enabled: bool = True
    max_duration: str = "24h"
    always_read_only: bool = False
    notify_user: bool = False


class OwnTexts(msgspec.Struct, frozen=True, kw_only=True):
    """Jinja2 sources in the place of a mail's built-in texts; null: the built-in one."""

    subject: str | None = None
    text: str | None = None
    html: str | None = None


class OwnTemplates(msgspec.Struct, frozen=True, kw_only=True):
    """The mails whose texts a tenant may write; null: every text is the built-in one."""

    email_already_registered: OwnTexts | None = None
    email_changed: OwnTexts | None = None
    email_verification: OwnTexts | None = None
    factor_added: OwnTexts | None = None
    factor_removed: OwnTexts | None = None
    impersonated: OwnTexts | None = None
    invitation: OwnTexts | None = None
    magic_link: OwnTexts | None = None
    organization_invitation: OwnTexts | None = None
    password_changed: OwnTexts | None = None
    password_reset: OwnTexts | None = None
    password_reset_forced: OwnTexts | None = None


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """How the tenant's mail looks."""

    sender_name: str | None = None
    reply_to: str | None = None
    templates: OwnTemplates | None = None


class LockoutSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Whether failed sign-ins lock an address: so many within any stretch of `window`, for `lock_time`."""

    enabled: bool = True
    failures: int = 10
    window: str = "10m"
    lock_time: str = "15m"


class PasswordSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How long a new password must and may be, in characters, and whether those that are tried first are refused."""

    min_length: int = 8
    max_length: int = 1024
    refuse_common: bool = True


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


class WebauthnSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The domain that passkeys are bound to, and the origins that may use them. Without them there are no passkeys."""

    rp_id: str | None = None
    origins: list[str] = []


class MfaSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Who must have a second factor: nobody, everybody, or users with one of `roles`; and whose passkeys are."""

    required: Known[MfaRequirement] = "off"
    roles: list[str] = []
    webauthn: WebauthnSettings | None = None


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant's settings. `updated_at` null: they have never been changed."""

    impersonation: ImpersonationSettings | None = None
    mail: Mail | None = None
    lockout: LockoutSettings | None = None
    password: PasswordSettings | None = None
    sessions: SessionSettings | None = None
    tokens: TokenSettings | None = None
    urls: UrlSettings | None = None
    cors: CorsSettings | None = None
    mfa: MfaSettings | None = None
    version: int
    updated_at: datetime | None


class CorsChangeInput(TypedDict, total=False):
    """What to change of the origins whose pages may call. The list that is given takes the place of the old one."""

    allowed_origins: Sequence[str] | None


class ImpersonationChangeInput(TypedDict, total=False):
    """What to change of impersonation.

    `max_duration`: a whole number and a unit: s m h d w y (365 days), as in 1h.
    """

    enabled: bool | None
    max_duration: str | None
    always_read_only: bool | None
    notify_user: bool | None


class LockoutChangeInput(TypedDict, total=False):
    """What to change of the lock by failed sign-ins.

    `window`: 1m to 24h.
    `lock_time`: 1m to 24h.
    """

    enabled: bool | None
    failures: int | None
    window: str | None
    lock_time: str | None


class TextsChangeInput(TypedDict, total=False):
    """What to change of a mail's texts."""

    subject: str | None
    text: str | None
    html: str | None


class TemplatesChangeInput(TypedDict, total=False):
    """What to change of which mails."""

    email_already_registered: TextsChangeInput | None
    email_changed: TextsChangeInput | None
    email_verification: TextsChangeInput | None
    factor_added: TextsChangeInput | None
    factor_removed: TextsChangeInput | None
    impersonated: TextsChangeInput | None
    invitation: TextsChangeInput | None
    magic_link: TextsChangeInput | None
    organization_invitation: TextsChangeInput | None
    password_changed: TextsChangeInput | None
    password_reset: TextsChangeInput | None
    password_reset_forced: TextsChangeInput | None


class MailChangeInput(TypedDict, total=False):
    """What to change of how mail looks."""

    sender_name: str | None
    reply_to: str | None
    templates: TemplatesChangeInput | None


class WebauthnChangeInput(TypedDict, total=False):
    """What to change of passkeys. Those that were made for another domain are of no use then.

    `rp_id`: a domain, such as example.com.
    """

    rp_id: str | None
    origins: Sequence[str] | None


class MfaChangeInput(TypedDict, total=False):
    """What to change of who must have a second factor. `roles` count where `required` is roles."""

    required: MfaRequirement | None
    roles: Sequence[str] | None
    webauthn: WebauthnChangeInput | None


class PasswordChangeInput(TypedDict, total=False):
    """What to change of which passwords may be chosen."""

    min_length: int | None
    max_length: int | None
    refuse_common: bool | None


class SessionChangeInput(TypedDict, total=False):
    """What to change of how long sessions last, and how many there may be.

    `idle_time`: 5m to 365d.
    `lifetime`: 1h to 365d.
    """

    idle_time: str | None
    lifetime: str | None
    max_per_user: int | None


class TokenChangeInput(TypedDict, total=False):
    """What to change of how long tokens pass.

    `access_token_lifetime`: 1m to 1h.
    """

    access_token_lifetime: str | None


class UrlChangeInput(TypedDict, total=False):
    """What to change of the pages that mailed links open.

    `reset_url`: an https URL; http for localhost only.
    `verification_url`: an https URL; http for localhost only.
    `invitation_url`: an https URL; http for localhost only.
    `magic_link_url`: an https URL; http for localhost only.
    `organization_invitation_url`: an https URL; http for localhost only.
    """

    reset_url: str | None
    verification_url: str | None
    invitation_url: str | None
    magic_link_url: str | None
    organization_invitation_url: str | None
