"""The rules of impersonation: who may begin one, in whose place, for how long, and what the token says."""

from typing import Final

import msgspec

from hellojohn_server.features.audit.service import AuditLog
from hellojohn_server.features.emails.schemas import Email
from hellojohn_server.features.emails.service import EmailService
from hellojohn_server.features.impersonation.errors import ImpersonationDisabled
from hellojohn_server.features.impersonation.events import user_impersonated
from hellojohn_server.features.impersonation.schemas import (
    DEFAULT_SECONDS,
    ImpersonateBody,
    ImpersonationBody,
    impersonation_body,
)
from hellojohn_server.features.keys.errors import ApiKeyExpired
from hellojohn_server.features.keys.service import KeyService
from hellojohn_server.features.roles.service import RoleService
from hellojohn_server.features.sessions.schemas import Session
from hellojohn_server.features.sessions.service import SessionService
from hellojohn_server.features.signing_keys.service import SigningKeyService
from hellojohn_server.features.tenant_settings.schemas import LONGEST_IMPERSONATION_SECONDS, ImpersonationSettings
from hellojohn_server.features.tenant_settings.service import TenantSettingsService
from hellojohn_server.features.users.errors import UserBanned, UserDeleted, UserDisabled, UserNotFound
from hellojohn_server.features.users.schemas import User, is_banned
from hellojohn_server.features.users.service import UserService, require_never_upward
from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.email_templates import EmailTemplate
from hellojohn_server.kit.error_codes import FieldCode
from hellojohn_server.kit.errors import FieldError, Invalid
from hellojohn_server.kit.ids import IMPERSONATION_SUFFIX, IdFactory, IdPrefix, is_id
from hellojohn_server.kit.principal import Context, OnBehalfOf
from hellojohn_server.kit.times import parse_duration, say_duration, say_time
from hellojohn_server.kit.tokens import AccessClaims, ActClaim
from hellojohn_server.storage.database import Database, Transaction

_AMR: Final = ("impersonation",)


class ImpersonationServices(msgspec.Struct, frozen=True):
    """The services that impersonation stands on."""

    audit: AuditLog
    emails: EmailService
    keys: KeyService
    roles: RoleService
    sessions: SessionService
    settings: TenantSettingsService
    signing_keys: SigningKeyService
    users: UserService


class ImpersonationService:
    """Begins impersonations. They are listed and ended as the sessions that they are."""

    def __init__(self, db: Database, ids: IdFactory, clock: Clock, services: ImpersonationServices) -> None:
        self._db = db
        self._ids = ids
        self._clock = clock
        self._services = services

    async def impersonate_user(self, context: Context, body: ImpersonateBody) -> ImpersonationBody:
        """Begin a session in a user's place, and return its access token. It cannot be refreshed.

        ImpersonationDisabled; UserNotFound; InsufficientScope when the user's role is privileged and the caller may not
        manage administrators; UserDeleted, UserBanned, UserDisabled; Invalid when it would last longer than the tenant
        allows; InvalidApiKey, ApiKeyExpired when the caller's key ended meanwhile. It ends with the caller's key: a
        revocation at the same time comes before and is seen here, or after and ends the session.
        """
        if not is_id(body.user_id, IdPrefix.USER):
            raise UserNotFound
        session_id = self._ids.new(IdPrefix.SESSION) + IMPERSONATION_SUFFIX
        token_id = self._ids.new(IdPrefix.TOKEN)

        async def command(tx: Transaction) -> AccessClaims:
            now = self._clock.now_ms()
            settings = (await self._services.settings.get_settings(tx)).impersonation
            if not settings.enabled:
                raise ImpersonationDisabled
            user = await self._require_open(tx, context, body.user_id, now)
            expires_at = await self._require_end(tx, context, _seconds_of(body, settings), now)
            session = Session(
                id=session_id,
                user_id=user.id,
                created_at=now,
                expires_at=expires_at,
                access_expires_at=expires_at,
                amr=_AMR,
                ip_address=context.ip_address,
                user_agent=context.user_agent,
                impersonator_id=context.principal.id,
                impersonator_type=context.principal.actor_type.value,
                impersonator_name=context.principal.name,
                impersonator_asserted=context.asserted,
                impersonation_reason=body.reason,
                read_only=body.read_only or settings.always_read_only,
            )
            await self._services.sessions.begin_session(tx, session, None)
            notified = await self._tell(tx, user, session) if settings.notify_user else None
            acting = msgspec.structs.replace(context, on_behalf_of=OnBehalfOf(user.id))
            await self._services.audit.record(tx, acting, user_impersonated(session, notified=notified))
            return self._claims_of(context, user, session, token_id)

        async def guard(tx: Transaction) -> None:
            user = await self._get_locked(tx, body.user_id)
            if user is not None:
                await self._require_never_upward(tx, context, user)

        if context.idempotency is not None:
            context.idempotency.subject_id = body.user_id
        claims = await self._db.write(
            context.tenant_id,
            command,
            AccessClaims,
            guard=None if context.idempotency is None else guard,
            idempotency=context.idempotency,
        )
        return impersonation_body(claims, await self._services.signing_keys.sign(claims))

    async def _tell(self, tx: Transaction, user: User, session: Session) -> bool:
        """Tell the user by mail; False where none can be sent, and then the impersonation begins all the same."""
        if not self._services.emails.is_configured:
            return False
        values = {
            "acting_admin": session.impersonator_asserted or session.impersonator_name or "",
            "expires_in": say_duration(session.expires_at - session.created_at),
            "reason": session.impersonation_reason or "",
            "started_at": say_time(session.created_at),
        }
        await self._services.emails.queue(tx, Email(EmailTemplate.IMPERSONATED, user.email, user.id, values))
        return True

    async def _require_open(self, tx: Transaction, context: Context, user_id: str, now_ms: int) -> User:
        """Return the user, locked, in whose place the caller may act."""
        user = await self._get_locked(tx, user_id)
        if user is None:
            raise UserNotFound
        await self._require_never_upward(tx, context, user)
        if user.deleted_at is not None:
            raise UserDeleted
        if is_banned(user, now_ms):
            raise UserBanned
        if user.disabled:
            raise UserDisabled
        return user

    async def _get_locked(self, tx: Transaction, user_id: str) -> User | None:
        return (await self._services.users.lock_users(tx, [user_id])).get(user_id)

    async def _require_never_upward(self, tx: Transaction, context: Context, user: User) -> None:
        privileges = await self._services.roles.list_privileges_locked(tx, [user.role])
        require_never_upward(context.principal, privileges)

    async def _require_end(self, tx: Transaction, context: Context, lasting_seconds: int, now_ms: int) -> int:
        """Return when it ends: in whole seconds, and no later than the caller's key, which stands until then."""
        key = await self._services.keys.require_alive(tx, context.principal.id)
        wanted = now_ms + lasting_seconds * 1000
        end = wanted if key.expires_at is None else min(wanted, key.expires_at)
        expires_at = end // 1000 * 1000
        if expires_at <= now_ms:
            raise ApiKeyExpired
        return expires_at

    def _claims_of(self, context: Context, user: User, session: Session, token_id: str) -> AccessClaims:
        return AccessClaims(
            iss=self._services.signing_keys.issuer,
            aud=context.tenant_id,
            sub=user.id,
            sid=session.id,
            tenant_id=context.tenant_id,
            role=user.role,
            email=user.email,
            amr=session.amr,
            gen=user.generation,
            iat=session.created_at // 1000,
            exp=session.expires_at // 1000,
            jti=token_id,
            act=ActClaim(context.principal.id),
            impersonated=True,
            read_only=session.read_only,
        )


def _seconds_of(body: ImpersonateBody, settings: ImpersonationSettings) -> int:
    """Return how long it is to last; Invalid when that is longer than the tenant allows."""
    longest = parse_duration(settings.max_duration) or LONGEST_IMPERSONATION_SECONDS
    if body.expires_in is None:
        return min(DEFAULT_SECONDS, longest)
    seconds = parse_duration(body.expires_in)
    if seconds is None or seconds > longest:
        message = f"The tenant's settings allow {settings.max_duration} at most."
        raise Invalid(details=[FieldError("expires_in", FieldCode.OUT_OF_RANGE, message)])
    return seconds
