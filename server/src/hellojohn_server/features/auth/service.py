"""The rules of signing up, in and out, and of refreshing.

A refused sign-in tells nothing about whether anybody has the address: the same work is done, the same answer given, and
not before the same time is over. What depends on the account is said only after the right password.
"""

import asyncio
import time
from typing import Final

import msgspec

from hellojohn_server.features.action_tokens.schemas import ActionPurpose
from hellojohn_server.features.action_tokens.service import LinkMailer
from hellojohn_server.features.audit.service import AuditLog
from hellojohn_server.features.auth import repository
from hellojohn_server.features.auth.errors import (
    AccountLocked,
    InvalidCredentials,
    MfaRequired,
    RefreshTokenInvalid,
    Unrefreshed,
)
from hellojohn_server.features.auth.events import (
    refresh_token_reused,
    user_locked,
    user_sign_in_failed,
    user_signed_in,
    user_signed_out,
)
from hellojohn_server.features.auth.schemas import (
    Begun,
    Entry,
    RefreshBody,
    SignedInBody,
    SignInBody,
    SignUpBody,
    as_user,
    claims_of,
    entry_refusal_of,
    refusal_of,
    session_of_caller,
    signed_in_body,
)
from hellojohn_server.features.mfa.schemas import FactorRef, FirstStep
from hellojohn_server.features.mfa.service import MfaService
from hellojohn_server.features.organizations.service import OrganizationService
from hellojohn_server.features.password_policy.service import NewPasswords
from hellojohn_server.features.sessions.schemas import Ending, RevokeCause, Session, Terms, terms_of
from hellojohn_server.features.sessions.service import SessionService
from hellojohn_server.features.signing_keys.service import SigningKeyService
from hellojohn_server.features.tenant_settings.schemas import TenantConfig, config_in, must_enroll
from hellojohn_server.features.tenant_settings.service import TenantSettingsService
from hellojohn_server.features.tenants.service import TenantService
from hellojohn_server.features.users.errors import EmailAlreadyExists, EmailBanned, EmailInRecycleBin
from hellojohn_server.features.users.schemas import CreateUserBody, User, is_locked
from hellojohn_server.features.users.service import UserService, change_counters, counter_changes
from hellojohn_server.kit.challenges import make_challenge, mark_of
from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.day_counters import DayCounter, day_facet
from hellojohn_server.kit.errors import ApiError
from hellojohn_server.kit.ids import IdFactory, IdPrefix
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.refresh_tokens import (
    RefreshToken,
    make_refresh_token,
    parse_refresh_token,
    rotate_refresh_token,
)
from hellojohn_server.kit.secrets import AddressHasher
from hellojohn_server.kit.sightings import SightingKind, Sightings
from hellojohn_server.kit.text import email_key
from hellojohn_server.kit.tokens import enrollment_audience
from hellojohn_server.storage.database import Database, Exempt, Reader, Transaction
from hellojohn_server.storage.errors import UniqueViolation

_AMR: Final = ("pwd",)
_LONGEST_FLOOR_SECONDS: Final = 5.0
_TRIES: Final = 3
_TAKEN: Final = (EmailBanned, EmailInRecycleBin)


class AuthServices(msgspec.Struct, frozen=True):
    """The services that signing in stands on."""

    audit: AuditLog
    settings: TenantSettingsService
    tenants: TenantService
    users: UserService
    sessions: SessionService
    signing_keys: SigningKeyService
    passwords: NewPasswords
    addresses: AddressHasher
    sightings: Sightings
    organizations: OrganizationService
    mfa: MfaService
    mailer: LinkMailer


class AuthService:
    """Users of one tenant at a time: that of the publishable key, or of the token."""

    def __init__(
        self, db: Database, ids: IdFactory, clock: Clock, services: AuthServices, *, floor_seconds: float
    ) -> None:
        self._db = db
        self._ids = ids
        self._clock = clock
        self._services = services
        self._floor_seconds = floor_seconds

    async def sign_up(self, context: Context, body: SignUpBody) -> SignedInBody:
        """Make a user with role member, and sign in; a link that verifies the address is mailed, if mail can be sent.

        EmailAlreadyExists, alike for an address that a user has, that one in the recycle bin has, and that is banned;
        UsernameAlreadyExists. Of any number at once for one address one succeeds.
        """
        about = (body.email, body.username, body.name)
        password_hash = await self._services.passwords.hash(context.tenant_id, body.password, about)
        user_id = self._ids.new(IdPrefix.USER)
        wanted = CreateUserBody(
            email=body.email,
            password=body.password,
            name=body.name,
            username=body.username,
            phone=body.phone,
            avatar_url=body.avatar_url,
        )
        acting = as_user(context, user_id, body.email)
        refresh = make_refresh_token(self._ids.new(IdPrefix.SESSION))
        mailer = self._services.mailer
        link = await mailer.prepare_if_configured(context.tenant_id, ActionPurpose.EMAIL_VERIFICATION)

        async def command(tx: Transaction) -> Begun:
            await self._services.users.add_user(tx, acting, user_id, wanted, password_hash)
            if link is not None:
                await mailer.mail(tx, link, user_id, body.email)
            settings = await self._services.settings.get_settings(tx)
            proof = repository.Proof(user_id, password_hash, password_hash)
            return await self._begin(tx, acting, settings, proof, refresh)

        try:
            begun = await self._db.write(context.tenant_id, command, Begun)
        except UniqueViolation as taken:
            raise _as_taken(await self._services.users.conflict_of(context.tenant_id, taken, body.email)) from taken
        except EmailBanned as banned:
            raise EmailAlreadyExists from banned
        if begun.user is None or begun.session is None:
            raise RuntimeError("a user who was just made has not the password of a moment ago")
        return await self.signed_in(context.tenant_id, begun.user, begun.session, refresh, enrolls=begun.enrolls)

    async def sign_in(self, context: Context, body: SignInBody) -> SignedInBody:
        """Sign in with a password.

        InvalidCredentials, alike for an unknown address and a wrong password; AccountLocked while too many failed; only
        after the right password AccountBanned, AccountDisabled, PasswordResetRequired, MfaRequired. A hash that is not
        of our own kind is replaced by one that is.
        """
        started = time.monotonic()
        try:
            return await self._sign_in(context, body)
        except (InvalidCredentials, AccountLocked):
            await self._wait_from(started)
            raise

    async def verify_password(self, context: Context, user_id: str, password: str) -> str:
        """Return the stored hash that a signed-in user's password matches. Failures count as those of sign-ins do.

        InvalidCredentials, AccountLocked.
        """
        started = time.monotonic()

        async def query(reader: Reader) -> repository.Candidate:
            user, stored = await repository.get_password(reader, user_id) or (None, None)
            address = self._services.addresses.hash(context.tenant_id, "" if user is None else user.email_key)
            locked_until = await repository.get_locked_until(reader, address)
            return repository.Candidate(address, user, stored, locked_until)

        candidate = await self._db.read(context.tenant_id, query)
        try:
            _, stored, _ = await self._checked(context, candidate, password)
        except (InvalidCredentials, AccountLocked):
            await self._wait_from(started)
            raise
        return stored

    async def forget_failures(self, tx: Transaction, address_key: str) -> None:
        """Forget the failed sign-ins of an address, whose password was given; AccountLocked if they lock it by now.

        AccountLocked must end the command, which puts them back.
        """
        locked_until = await repository.consume_failures(tx, self._services.addresses.hash(tx.tenant_id, address_key))
        if locked_until is not None and locked_until > self._clock.now_ms():
            raise AccountLocked

    async def require_password(self, tx: Transaction, user: User, verified_hash: str) -> None:
        """Forget failed sign-ins of a held user who gave the password. InvalidCredentials; AccountLocked."""
        found = await repository.get_password(tx, user.id)
        if found is None or found[1] != verified_hash:
            raise InvalidCredentials
        await self.forget_failures(tx, user.email_key)

    async def refresh(self, context: Context, body: RefreshBody) -> SignedInBody:
        """Give a session's next tokens for the refresh token that was given last.

        Of any number at once with one token one gets them; for the others it was used before, so that the session ends:
        RefreshTokenReused. RefreshTokenInvalid, RefreshTokenExpired, SessionRevoked; AccountDisabled, which uses
        nothing up: once the user is enabled the token is good again. So does OrganizationNotFound, for one to be active
        in whose member the user is not.
        """
        used = parse_refresh_token(body.refresh_token)
        if used is None:
            raise RefreshTokenInvalid
        fresh = rotate_refresh_token(used)

        async def command(tx: Transaction) -> Begun:
            now = self._clock.now_ms()
            terms = terms_of(await self._services.settings.get_settings(tx))
            place = await self._services.organizations.hold_place(tx, used.session_id, body.organization_id)
            session = await self._services.sessions.refresh_session(tx, used, fresh, terms, now)
            if session is None:
                return Begun(refused=(await self._unrefreshed(tx, context, used, terms)).name)
            user = await repository.get_user(tx, session.user_id)
            if user is None:
                raise RefreshTokenInvalid
            refusal = refusal_of(user, now)
            if refusal is not None:
                raise refusal
            lacks_factor = await self._services.mfa.must_enroll(tx, user.role, enrolled=user.mfa_enrolled)
            session = await self._services.organizations.take_place(tx, session, place)
            return Begun(user, session, enrolls=lacks_factor)

        done = await self._db.write(context.tenant_id, command, Begun, exempt=Exempt.SESSION_REFRESH)
        if done.user is None or done.session is None:
            raise Unrefreshed[done.refused or ""].value
        self._note_active(context.tenant_id, done.session, done.user)
        return await self.signed_in(context.tenant_id, done.user, done.session, fresh, enrolls=done.enrolls)

    async def sign_out(self, context: Context) -> None:
        """End the session of the token that is presented; an impersonation's too."""
        session = session_of_caller(context)

        async def command(tx: Transaction) -> None:
            ending = Ending(RevokeCause.SIGNED_OUT, context.principal.id, self._clock.now_ms())
            if await self._services.sessions.revoke_session(tx, session.id, ending) is not None:
                await self._services.audit.record(tx, context, user_signed_out(session.user_id, session.id))

        await self._db.write(context.tenant_id, command, type(None), idempotency=context.idempotency)

    def _note_active(self, tenant_id: str, session: Session, user: User) -> None:
        """Note that a user is active now; somebody in the user's place says nothing of that."""
        if not session.is_impersonation:
            now = self._clock.now_ms()
            self._services.sightings.note(SightingKind.USER, tenant_id, user.id, user.last_active_at, now)

    async def _sign_in(self, context: Context, body: SignInBody) -> SignedInBody:
        for _ in range(_TRIES):
            begun = await self._try_sign_in(context, body)
            if begun is not None:
                return begun
        raise InvalidCredentials

    async def _try_sign_in(self, context: Context, body: SignInBody) -> SignedInBody | None:
        """Sign in; None when stored hash or second factor changed while the password was checked."""
        key = email_key(body.email)
        address = self._services.addresses.hash(context.tenant_id, key)

        async def query(reader: Reader) -> repository.Candidate:
            return await repository.get_candidate(reader, key, address)

        candidate = await self._db.read(context.tenant_id, query)
        user, verified_hash, needs_upgrade = await self._checked(context, candidate, body.password)
        acting = as_user(context, user.id, user.email)
        refusal = entry_refusal_of(user, self._clock.now_ms())
        if refusal is not None:
            raise await self._recorded(context, user, key, refusal)
        password_hash = verified_hash
        if needs_upgrade:
            password_hash = await self._services.passwords.hasher.hash(body.password, owner=context.tenant_id)
        proof = repository.Proof(user.id, verified_hash, password_hash, user.last_active_at)
        if user.mfa_enrolled:
            await self._challenge(context, proof, key)
            return None
        refresh, settings = make_refresh_token(self._ids.new(IdPrefix.SESSION)), config_in(candidate.settings)

        async def command(tx: Transaction) -> Begun:
            begun = await self._begin(tx, acting, settings, proof, refresh)
            await self.forget_failures(tx, key)
            return begun

        begun = await self._db.write(context.tenant_id, command, Begun)
        if begun.user is None or begun.session is None:
            return None
        return await self.signed_in(context.tenant_id, begun.user, begun.session, refresh, enrolls=begun.enrolls)

    async def _checked(
        self, context: Context, candidate: repository.Candidate, password: str
    ) -> tuple[User, str, bool]:
        """Return the user whose password it is, the hash that it matches, and whether that is to be replaced."""
        user, stored, locked_until = candidate.user, candidate.password_hash, candidate.locked_until
        if user is not None and user.deleted_at is not None:
            user, stored = None, None
        now = self._clock.now_ms()
        if (locked_until is not None and locked_until > now) or (user is not None and is_locked(user, now)):
            raise AccountLocked
        verification = await self._services.passwords.hasher.verify(password, stored, owner=context.tenant_id)
        if user is None or stored is None or not verification.matches:
            await self._count_failure(context, candidate.address_hash, user)
            raise InvalidCredentials
        return user, stored, verification.needs_upgrade

    async def _count_failure(self, context: Context, address: str, user: User | None) -> None:
        """Count a wrong password, in a write of its own; AccountLocked when others locked the address meanwhile."""

        async def command(tx: Transaction) -> bool:
            now = self._clock.now_ms()
            is_there = user is not None and await repository.get_user_locked(tx, user.id) is not None
            lockout, locked_until = (await self._services.settings.get_settings(tx)).lockout, None
            if lockout.enabled:
                counted = await repository.update_failures(tx, address, lockout, now)
                if counted is None:
                    return False
                tx.mark_due(counted.expires_at)
                locked_until = counted.locked_until
            await change_counters(tx, {day_facet(DayCounter.SIGN_IN_FAILED, now): 1})
            if user is not None and is_there:  # of one who was erased meanwhile nothing more is written
                events = [user_sign_in_failed(user.id, InvalidCredentials.code.value)]
                if locked_until is not None:
                    await repository.update_locked(tx, user.id, locked_until, now)
                    events.append(user_locked(user.id, locked_until))
                await self._services.audit.record_many(tx, context, events)
            return True

        if not await self._db.write(context.tenant_id, command, bool, exempt=Exempt.SIGN_IN_COUNT):
            raise AccountLocked

    async def _begin(
        self, tx: Transaction, acting: Context, settings: TenantConfig, proof: repository.Proof, refresh: RefreshToken
    ) -> Begun:
        """Begin a session of a user who proved the password.

        Nothing is begun when the hash that was verified is not the user's any more. The user's row is held from here
        on: whoever disables the user comes before, and is seen, or after, and ends the session.
        """
        now = self._clock.now_ms()
        user = await repository.update_signed_in(tx, proof, now)
        if user is None:  # also when the user was active meanwhile, which the counters must know
            held = await repository.get_user_locked(tx, proof.user_id)
            proof = msgspec.structs.replace(proof, active_at=None if held is None else held.last_active_at)
            user = await repository.update_signed_in(tx, proof, now)
        if user is None:
            return Begun()
        before = msgspec.structs.replace(user, last_active_at=proof.active_at)
        await change_counters(tx, counter_changes(before, user))
        session = await self._begin_session(tx, acting, user, Entry(user.id, _AMR), refresh, config=settings)
        return Begun(user, session, enrolls=must_enroll(settings.mfa, user.role, enrolled=False))

    async def get_unchanged(self, reader: Reader, entry: Entry) -> User | None:
        """Return the user; None when there is none, or the user is not as `entry` says any more."""
        found = await repository.get_password(reader, entry.user_id)
        if found is None or found[0].deleted_at is not None:
            return None
        user, stored = found
        if entry.generation not in {None, user.generation} or entry.password_mark not in {None, mark_of(stored or "")}:
            return None
        return user

    async def enter(
        self, tx: Transaction, context: Context, user: User, entry: Entry, refresh: RefreshToken
    ) -> Session:
        """Begin a session of a held user who proved more than a password in `tx`. What keeps the user out is raised."""
        entered = await repository.update_entered(tx, user.id, self._clock.now_ms()) or user
        before = msgspec.structs.replace(entered, last_active_at=user.last_active_at)
        config = await self._services.settings.get_settings(tx)
        await change_counters(tx, counter_changes(before, entered))
        acting = as_user(context, user.id, user.email)
        session = await self._begin_session(tx, acting, user, entry, refresh, config=config)
        await self.forget_failures(tx, user.email_key)
        return session

    async def _begin_session(  # noqa: PLR0913 - what a session is begun of
        self, tx: Transaction, acting: Context, user: User, entry: Entry, refresh: RefreshToken, *, config: TenantConfig
    ) -> Session:
        now = self._clock.now_ms()
        refusal = entry_refusal_of(user, now)
        if refusal is not None:
            raise refusal
        terms, most = terms_of(config), config.sessions.max_per_user
        ends_at = terms.session_end(now, now)
        session = Session(
            id=refresh.session_id,
            user_id=user.id,
            created_at=now,
            expires_at=ends_at,
            access_expires_at=terms.access_end(ends_at, now),
            amr=entry.amr,
            ip_address=acting.ip_address,
            user_agent=acting.user_agent,
        )
        ending = Ending(RevokeCause.SESSION_LIMIT, user.id, now)
        ended = await self._services.sessions.make_room(tx, user.id, most, ending)
        await self._services.sessions.begin_session(tx, session, refresh)
        await change_counters(tx, {day_facet(DayCounter.SIGNED_IN, now): 1})
        details = {**entry.metadata, "sessions_revoked": ended} if ended else entry.metadata
        await self._services.audit.record(tx, acting, user_signed_in(user.id, session.id, session.amr, details))
        return session

    async def _challenge(self, context: Context, proof: repository.Proof, key: str) -> None:
        """Raise MfaRequired with a challenge; AccountLocked when the address is locked by now.

        Nothing is begun when the hash that was verified is not the user's any more, or there is no second factor.
        """
        user_id, verified_hash, password_hash = proof.user_id, proof.verified_hash, proof.password_hash
        challenge = make_challenge()
        address = self._services.addresses.hash(context.tenant_id, key)

        async def command(tx: Transaction) -> list[FactorRef]:
            await repository.get_user_locked(tx, user_id)
            found = await repository.get_password(tx, user_id)
            if found is None or found[1] != verified_hash or not found[0].mfa_enrolled:
                return []
            locked_until = await repository.get_locked_until(tx, address)
            if locked_until is not None and locked_until > self._clock.now_ms():
                raise AccountLocked
            await repository.update_hash(tx, user_id, verified_hash, password_hash)
            first = FirstStep(user_id, _AMR[0], found[0].generation, password_hash)
            return await self._services.mfa.begin_challenge(tx, context, first, challenge)

        factors = await self._db.write(context.tenant_id, command, list[FactorRef])
        if factors:
            raise MfaRequired(challenge, factors)

    async def _unrefreshed(self, tx: Transaction, context: Context, used: RefreshToken, terms: Terms) -> Unrefreshed:
        now_ms = self._clock.now_ms()
        found = await self._services.sessions.get_session_of_family(tx, used)
        if found is None:
            return Unrefreshed.INVALID
        session, is_newest = found
        if session.revoked_at is not None:
            ended_it = session.revoked_reason == RevokeCause.REFRESH_TOKEN_REUSED and not is_newest
            return Unrefreshed.REUSED if ended_it else Unrefreshed.REVOKED
        if terms.are_over(session, now_ms):
            return Unrefreshed.EXPIRED
        ending = Ending(RevokeCause.REFRESH_TOKEN_REUSED, context.principal.id, now_ms)
        if await self._services.sessions.revoke_session(tx, session.id, ending) is not None:
            await self._services.audit.record(tx, context, refresh_token_reused(session.user_id, session.id))
        return Unrefreshed.REUSED

    async def signed_in(
        self, tenant_id: str, user: User, session: Session, refresh: RefreshToken, *, enrolls: bool = False
    ) -> SignedInBody:
        """Return the answer that a session which was begun or refreshed has; with `enrolls` its token only enrols."""
        now = session.created_at if session.last_refreshed_at is None else session.last_refreshed_at
        audience = enrollment_audience(tenant_id) if enrolls else tenant_id
        issuer, token_id = self._services.signing_keys.issuer, self._ids.new(IdPrefix.TOKEN)
        claims = claims_of(user, session, (issuer, audience, tenant_id, token_id), now)
        access_token = await self._services.signing_keys.sign(claims)
        return signed_in_body(user, session, (access_token, refresh.text), now, must_enroll=enrolls)

    async def _recorded(self, context: Context, user: User, key: str, refusal: ApiError) -> ApiError:
        """Record that the right password was refused, and return why: AccountLocked when the address is locked by now.

        So that of many guesses at once none that comes after the lock tells anything.
        """
        address = self._services.addresses.hash(context.tenant_id, key)

        async def command(tx: Transaction) -> bool:
            is_there = await repository.get_user_locked(tx, user.id) is not None
            locked_until = await repository.get_locked_until(tx, address)
            if locked_until is not None and locked_until > self._clock.now_ms():
                return False
            if is_there:
                await change_counters(tx, {day_facet(DayCounter.SIGN_IN_FAILED, self._clock.now_ms()): 1})
                event = user_sign_in_failed(user.id, refusal.code.value)
                await self._services.audit.record(tx, context, event)
            return True

        return refusal if await self._db.write(context.tenant_id, command, bool) else AccountLocked()

    async def _wait_from(self, started: float) -> None:
        """Wait until so much time has passed since `started` as the slowest check of a password took lately."""
        slowest = min(self._services.passwords.hasher.slowest_seconds, _LONGEST_FLOOR_SECONDS)
        remaining = started + max(self._floor_seconds, slowest) - time.monotonic()
        if remaining > 0:
            await asyncio.sleep(remaining)


def _as_taken(conflict: Exception) -> Exception:
    return EmailAlreadyExists() if isinstance(conflict, _TAKEN) else conflict
