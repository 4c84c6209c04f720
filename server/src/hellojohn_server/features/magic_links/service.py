"""The rules of signing in by a link: it stands for the password, and for nothing else that the account asks for."""

from typing import Final

import msgspec

from hellojohn_server.features.action_tokens.errors import LinkInvalid
from hellojohn_server.features.action_tokens.schemas import ActionPurpose
from hellojohn_server.features.action_tokens.service import ActionTokenService, LinkMailer, delete_links, require_token
from hellojohn_server.features.audit.service import AuditLog
from hellojohn_server.features.auth.errors import MfaRequired
from hellojohn_server.features.auth.schemas import Entry, SignedInBody, as_user, entry_refusal_of
from hellojohn_server.features.auth.service import AuthService
from hellojohn_server.features.magic_links import repository
from hellojohn_server.features.magic_links.events import address_proved, magic_link_requested
from hellojohn_server.features.magic_links.schemas import RequestMagicLinkBody, VerifyMagicLinkBody
from hellojohn_server.features.mfa.schemas import FactorRef, FirstStep
from hellojohn_server.features.mfa.service import MfaService
from hellojohn_server.features.password_reset.schemas import AcceptedBody
from hellojohn_server.features.sessions.schemas import Ending, RevokeCause, Session
from hellojohn_server.features.sessions.service import SessionService
from hellojohn_server.features.tenant_settings.service import TenantSettingsService
from hellojohn_server.features.users.schemas import User
from hellojohn_server.features.users.service import change_counters, counter_changes
from hellojohn_server.kit.action_tokens import ActionToken
from hellojohn_server.kit.challenges import make_challenge
from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.floors import TimeFloor
from hellojohn_server.kit.ids import IdFactory, IdPrefix
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.rate_limits import Limit, RateLimiter
from hellojohn_server.kit.refresh_tokens import make_refresh_token
from hellojohn_server.kit.text import email_key
from hellojohn_server.storage.database import Database, Reader, Transaction

_PURPOSE: Final = ActionPurpose.MAGIC_LINK
AMR: Final = ("email",)
"""RFC 8176 has no name for a link that was mailed."""


class MagicServices(msgspec.Struct, frozen=True):
    """The services that signing in by a link stands on."""

    audit: AuditLog
    settings: TenantSettingsService
    mailer: LinkMailer
    action_tokens: ActionTokenService
    auth: AuthService
    mfa: MfaService
    sessions: SessionService
    limiter: RateLimiter


class _Outcome(msgspec.Struct, frozen=True):
    """What a good link came to: a session, or the factors that a second step may be taken with."""

    user: User
    session: Session | None = None
    factors: list[FactorRef] = []
    enrolls: bool = False


class MagicLinkService:
    """Users of one tenant at a time: that of the publishable key."""

    def __init__(
        self, db: Database, ids: IdFactory, clock: Clock, services: MagicServices, *, floor_seconds: float
    ) -> None:
        self._db = db
        self._ids = ids
        self._clock = clock
        self._services = services
        self._floor = TimeFloor(floor_seconds)

    async def request_link(self, context: Context, body: RequestMagicLinkBody) -> AcceptedBody:
        """Mail a link to whoever has the address and would be let in, if mail and the application's page are set up.

        The answer tells nothing of that, and neither does its time. RateLimited: too often for the address.
        """
        key = email_key(body.email)
        self._services.limiter.count(Limit.FORGOT, (context.tenant_id, key))
        async with self._floor.held():
            settings = await self._db.read(context.tenant_id, self._services.settings.get_settings)
            if self._services.mailer.is_configured and settings.urls.magic_link_url is not None:
                await self._mail_link(context, key)
        return AcceptedBody()

    async def verify_link(self, context: Context, body: VerifyMagicLinkBody) -> SignedInBody:
        """Sign in with a link. Of any number at once with one link one does.

        LinkInvalid, LinkExpired, LinkUsed; AccountBanned, AccountDisabled, AccountLocked, PasswordResetRequired, which
        use nothing up; MfaRequired, with a challenge, which does.
        """
        token = require_token(context.tenant_id, body.token)
        user_id = await self._owner_of(token)
        refresh = make_refresh_token(self._ids.new(IdPrefix.SESSION))
        challenge = make_challenge()

        async def command(tx: Transaction) -> _Outcome:
            user, password_hash = await self._use(tx, context, token, user_id)
            if not user.mfa_enrolled:
                entry = Entry(user.id, AMR)
                session = await self._services.auth.enter(tx, context, user, entry, refresh)
                lacks_factor = await self._services.mfa.must_enroll(tx, user.role, enrolled=False)
                return _Outcome(user, session, enrolls=lacks_factor)
            refusal = entry_refusal_of(user, self._clock.now_ms())
            if refusal is not None:
                raise refusal
            first = FirstStep(user.id, AMR[0], user.generation, password_hash or "")
            factors = await self._services.mfa.begin_challenge(tx, context, first, challenge)
            return _Outcome(user, factors=factors)

        done = await self._db.write(context.tenant_id, command, _Outcome)
        if done.session is None:
            raise MfaRequired(challenge, done.factors)
        return await self._services.auth.signed_in(
            context.tenant_id, done.user, done.session, refresh, enrolls=done.enrolls
        )

    async def _use(
        self, tx: Transaction, context: Context, token: ActionToken, user_id: str
    ) -> tuple[User, str | None]:
        """Use a link up, and return its user, whose row is held, with the hash of the password.

        Where the address was not verified, nobody had shown to have it: password, sessions and passkeys may be those of
        somebody who signed up with an address of others, and end.
        """
        found = await repository.get_user_locked(tx, user_id)
        if found is None or found[0].deleted_at is not None:
            raise LinkInvalid
        user, password_hash = found
        await self._services.action_tokens.use(tx, token, _PURPOSE, user.email_key)
        verified = await repository.update_verified(tx, user_id, self._clock.now_ms())
        if verified is None:
            return user, password_hash
        after, passkeys = await self._services.mfa.forget_passkeys(tx, verified)
        await change_counters(tx, counter_changes(user, after))
        await delete_links(tx, [user_id])
        ending = Ending(RevokeCause.EMAIL_VERIFIED, user_id, self._clock.now_ms())
        ended = await self._services.sessions.revoke_sessions(tx, [user_id], ending)
        event = address_proved(
            user_id, had_password=password_hash is not None, sessions=ended.sessions_revoked, passkeys=passkeys
        )
        await self._services.audit.record(tx, as_user(context, user_id, user.email), event)
        return after, None

    async def _owner_of(self, token: ActionToken) -> str:
        async def query(reader: Reader) -> str:
            return (await self._services.action_tokens.require_good(reader, token, _PURPOSE)).user_id

        return await self._db.read(token.tenant_id, query)

    async def _mail_link(self, context: Context, key: str) -> None:
        async def query(reader: Reader) -> User | None:
            return await repository.get_user_by_email(reader, key)

        found = await self._db.read(context.tenant_id, query)
        link = await self._services.mailer.prepare(context.tenant_id, _PURPOSE)
        if found is None:
            return
        user_id = found.id

        async def command(tx: Transaction) -> None:
            held = await repository.get_user_locked(tx, user_id)
            if held is None:
                return
            user = held[0]
            if user.email_key != key or entry_refusal_of(user, self._clock.now_ms()) is not None:
                return
            await self._services.mailer.mail(tx, link, user.id, user.email)
            await self._services.audit.record(tx, context, magic_link_requested(user.id))

        await self._db.write(context.tenant_id, command, type(None))
