"""What signing up, in and out takes and answers."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from hellojohn_server.features.auth.errors import (
    AccountBanned,
    AccountDisabled,
    PasswordResetRequired,
    SessionExpired,
    SessionRevoked,
)
from hellojohn_server.features.sessions.schemas import Session
from hellojohn_server.features.users.schemas import (
    AvatarUrl,
    Email,
    Name,
    Password,
    Phone,
    User,
    UserBody,
    Username,
    body_of,
    is_banned,
    password_fault,
)
from hellojohn_server.kit.errors import ApiError, CredentialNotAllowed
from hellojohn_server.kit.passwords import MAX_BYTES
from hellojohn_server.kit.principal import ActorType, Context, CredentialKind, Principal, SessionRef
from hellojohn_server.kit.routing import checked_by
from hellojohn_server.kit.times import Timestamp, format_time
from hellojohn_server.kit.tokens import AccessClaims

GivenAddress = Annotated[
    str, Meta(min_length=1, max_length=320, description="the e-mail address; case does not matter")
]
GivenPassword = Annotated[
    str, Meta(min_length=1, max_length=MAX_BYTES, description="the password", extra=checked_by(password_fault))
]
ActiveOrganization = Annotated[str, Meta(max_length=64, description="the id of an organization of the user's")]
RefreshTokenText = Annotated[str, Meta(min_length=1, max_length=200, description="the refresh token, rft_...")]


class SignUpBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A new user, who is signed in at once."""

    email: Email
    password: Password
    name: Name | None = None
    username: Username | None = None
    phone: Phone | None = None
    avatar_url: AvatarUrl | None = None


class SignInBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who signs in."""

    email: GivenAddress
    password: GivenPassword


class RefreshBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The refresh token that was given last. It is good once.

    `organization_id`: the organization to be active in from now on, null for none; absent: it stays.
    """

    refresh_token: RefreshTokenText
    organization_id: (
        Annotated[str, Meta(max_length=64, description="an organization of the user's")] | UnsetType | None
    ) = UNSET


class Entry(msgspec.Struct, frozen=True):
    """What a user proved beside a password, or in its place, and what must not have changed since, where not None.

    `amr` is how (RFC 8176); `metadata` is for the entry of the sign-in.
    """

    user_id: str
    amr: tuple[str, ...]
    generation: int | None = None
    password_mark: bytes | None = None
    metadata: Mapping[str, Any] = {}


class OwnUserBody(msgspec.Struct, frozen=True, kw_only=True):
    """A user as the user sees it: nothing that only administrators are to read."""

    id: str
    email: str
    email_verified: bool
    username: str | None
    name: str | None
    phone: str | None
    phone_verified: bool
    avatar_url: str | None
    role: str
    mfa_enrolled: bool
    public_metadata: dict[str, Any]
    created_at: Timestamp
    updated_at: Timestamp
    last_sign_in_at: Timestamp | None
    version: int


class TokensBody(msgspec.Struct, frozen=True, kw_only=True):
    """A session's tokens. The refresh token is good once, and gives the next two.

    `organization_id` is there when the user is active in an organization.
    """

    id: str
    access_token: str
    refresh_token: str
    access_token_expires_at: Timestamp
    refresh_token_expires_at: Timestamp
    mfa_enrollment_required: (
        Annotated[bool, Meta(description="true when nothing is open but enrolling a second factor; else absent")]
        | UnsetType
    ) = UNSET
    organization_id: str | UnsetType = UNSET


class SignedInBody(msgspec.Struct, frozen=True):
    """A user who is signed in, and the session."""

    user: OwnUserBody
    session: TokensBody


def own_user_body(shown: UserBody) -> OwnUserBody:
    """Return what of a user's body the user sees."""
    return OwnUserBody(**{name: getattr(shown, name) for name in OwnUserBody.__struct_fields__})


class Begun(msgspec.Struct, frozen=True):
    """What signing in or refreshing came to: user and session, or neither; `refused` is why a refresh was."""

    user: User | None = None
    session: Session | None = None
    refused: str | None = None
    enrolls: bool = False


def signed_in_body(
    user: User, session: Session, tokens: tuple[str, str], now_ms: int, *, must_enroll: bool
) -> SignedInBody:
    """Return the answer to a sign-in; `tokens` are the access token and the refresh token."""
    shown = TokensBody(
        id=session.id,
        access_token=tokens[0],
        refresh_token=tokens[1],
        organization_id=session.organization_id or UNSET,
        access_token_expires_at=format_time(session.access_expires_at // 1000 * 1000),
        refresh_token_expires_at=format_time(session.expires_at),
        mfa_enrollment_required=must_enroll or UNSET,
    )
    return SignedInBody(own_user_body(body_of(user, now_ms)), shown)


def claims_of(user: User, session: Session, ids: tuple[str, str, str, str], now_ms: int) -> AccessClaims:
    """Return what the access token of a session says; `ids` are issuer, audience, tenant and token."""
    return AccessClaims(
        iss=ids[0],
        aud=ids[1],
        sub=user.id,
        sid=session.id,
        tenant_id=ids[2],
        role=user.role,
        email=user.email,
        amr=session.amr,
        gen=user.generation,
        iat=now_ms // 1000,
        exp=session.access_expires_at // 1000,
        jti=ids[3],
        org_id=session.organization_id,
        org_role=session.organization_role,
    )


def refusal_of(user: User, now_ms: int) -> ApiError | None:
    """Return why a user's session is of no use now, although it has not ended; None when it is."""
    if user.deleted_at is not None:
        return SessionRevoked()
    if is_banned(user, now_ms):
        return AccountBanned()
    return AccountDisabled() if user.disabled else None


def standing_refusal_of(session: Session, user: User, now_ms: int) -> ApiError | None:
    """Return why a session is of no use now: it ended, or its user may not use it; None when it is."""
    if session.revoked_at is not None:
        return SessionRevoked()
    return SessionExpired() if session.expires_at <= now_ms else refusal_of(user, now_ms)


def entry_refusal_of(user: User, now_ms: int) -> ApiError | None:
    """Return why a user who gave the right password is not let in; None when nothing is in the way."""
    refusal = refusal_of(user, now_ms)
    return PasswordResetRequired() if refusal is None and user.password_reset_required else refusal


def principal_of(session: Session, user: User, tenant_id: str, *, must_enroll: bool) -> Principal:
    """Return whom a session's access token stands for: its user, or in an impersonation the credential behind it."""
    ref = SessionRef(session.id, user.id, session.is_impersonation, session.read_only, must_enroll)
    if session.impersonator_id is None or session.impersonator_type is None:
        return Principal(CredentialKind.ACCESS_TOKEN, ActorType.USER, user.id, user.email, tenant_id, session=ref)
    return Principal(
        CredentialKind.ACCESS_TOKEN,
        ActorType(session.impersonator_type),
        session.impersonator_id,
        session.impersonator_name or "",
        tenant_id,
        session=ref,
        asserted=session.impersonator_asserted,
    )


def as_user(context: Context, user_id: str, email: str) -> Context:
    """Return the context of a user who has proved to be the one, for the entry of what came of it."""
    principal = Principal(context.principal.kind, ActorType.USER, user_id, email, context.tenant_id)
    return msgspec.structs.replace(context, principal=principal)


def session_of_caller(context: Context) -> SessionRef:
    """Return the session of the access token that was presented; a route that takes nothing else has one."""
    if context.principal.session is None:
        raise CredentialNotAllowed
    return context.principal.session
