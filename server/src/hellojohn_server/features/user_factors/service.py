"""The rules of acts on second factors: who may do what to whose, and what follows from it for the user."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias, TypeVar

import msgspec
from msgspec import UNSET

from hellojohn_server.features.access_tokens.service import AccessTokenService
from hellojohn_server.features.audit.service import AuditLog
from hellojohn_server.features.auth.schemas import session_of_caller
from hellojohn_server.features.auth.service import AuthService
from hellojohn_server.features.emails.schemas import Email
from hellojohn_server.features.emails.service import EmailService
from hellojohn_server.features.mfa.errors import (
    InvalidMfaCode,
    InvalidPasskey,
    MfaAlreadyConfirmed,
    MfaFactorLimit,
    MfaFactorNotFound,
    NoMfaFactor,
    ReauthenticationRequired,
)
from hellojohn_server.features.mfa.schemas import (
    MAX_FACTORS,
    CodeMatch,
    Factor,
    FactorType,
    factor_body,
    is_alive,
    said_type,
)
from hellojohn_server.features.mfa.service import MfaService
from hellojohn_server.features.roles.service import RoleService
from hellojohn_server.features.sessions.service import SessionService
from hellojohn_server.features.tenants.service import TenantService
from hellojohn_server.features.user_factors import repository
from hellojohn_server.features.user_factors.events import (
    backup_codes_generated,
    enrollment_begun,
    factor_added,
    factor_removed,
)
from hellojohn_server.features.user_factors.schemas import (
    BackupCodesBody,
    Begun,
    ConfirmBody,
    ConfirmedFactorBody,
    ConfirmOwnBody,
    EnrollmentBody,
    EnrollOwnBody,
    EnrollUserBody,
    FactorListBody,
    ProofBody,
)
from hellojohn_server.features.users.errors import UserDeleted, UserNotFound
from hellojohn_server.features.users.schemas import User
from hellojohn_server.features.users.service import (
    UserService,
    change_counters,
    counter_changes,
    require_never_upward,
    say_subject,
)
from hellojohn_server.kit.backup_codes import make_backup_codes
from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.email_templates import EmailTemplate
from hellojohn_server.kit.error_codes import FieldCode
from hellojohn_server.kit.errors import FieldError, Invalid
from hellojohn_server.kit.ids import IdFactory, IdPrefix, is_id
from hellojohn_server.kit.pagination import page_of
from hellojohn_server.kit.passkeys import (
    Passkey,
    RelyingParty,
    challenge_of,
    registration_options,
    verified_passkey,
)
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.retention import PENDING_FACTOR_MS
from hellojohn_server.kit.routing import faults_together
from hellojohn_server.kit.times import format_time
from hellojohn_server.kit.totp import make_totp_secret, otpauth_uri, qr_data_uri
from hellojohn_server.storage.database import Command, Database, Reader, Transaction

T = TypeVar("T")

Admit: TypeAlias = Callable[[Transaction, User], Awaitable[None]]
"""Refuses by raising whoever may not do it to the user, whose row is held."""


class FactorServices(msgspec.Struct, frozen=True):
    """The services that acts on second factors stand on."""

    audit: AuditLog
    tenants: TenantService
    roles: RoleService
    sessions: SessionService
    users: UserService
    mfa: MfaService
    auth: AuthService
    access_tokens: AccessTokenService
    emails: EmailService


class FactorService:
    """Acts on the second factors of one user. Acts on one user run one after another."""

    def __init__(self, db: Database, ids: IdFactory, clock: Clock, services: FactorServices) -> None:
        self._db = db
        self._ids = ids
        self._clock = clock
        self.services = services

    async def list_factors(self, tenant_id: str, user_id: str) -> FactorListBody:
        """Return a user's second factors, the oldest first. UserNotFound."""
        await self.services.users.require_user(tenant_id, user_id)

        async def query(reader: Reader) -> tuple[list[Factor], int]:
            factors = await self.services.mfa.list_factors(reader, user_id)
            return factors, await repository.count_backup_codes(reader, user_id)

        factors, left = await self._db.read(tenant_id, query)
        page = page_of([factor_body(one) for one in factors], MAX_FACTORS, len(factors), None)
        return FactorListBody(data=page.rows, backup_codes_left=left, pagination=page.pagination)

    async def begin_enrollment(
        self, context: Context, user_id: str, body: EnrollOwnBody | EnrollUserBody, admit: Admit
    ) -> EnrollmentBody:
        """Begin a second factor, and return what an authenticator app needs. It protects nothing until confirmed.

        UserNotFound; MfaFactorLimit; what `admit` raises.
        """
        issuer = (await self.services.tenants.require_tenant(context.tenant_id)).name
        factor_id = self._ids.new(IdPrefix.FACTOR)
        kind = FactorType(body.type.value)
        party = None if kind is FactorType.TOTP else await self.services.mfa.require_party(context.tenant_id, issuer)
        secret = make_totp_secret()
        sealed = self.services.mfa.seal_secret(context.tenant_id, factor_id, secret)
        reason = body.reason if isinstance(body, EnrollUserBody) else None

        async def command(tx: Transaction) -> Begun:
            now = self._clock.now_ms()
            user = await self._hold(tx, user_id, admit)
            factors = await self.services.mfa.list_factors(tx, user_id)
            if len(factors) >= MAX_FACTORS:
                raise MfaFactorLimit
            factor = Factor(factor_id, user_id, kind, body.name, None, now, sealed)
            await repository.insert_factor(tx, factor)
            tx.mark_due(now + PENDING_FACTOR_MS)
            await self.services.audit.record(tx, context, enrollment_begun(user, factor, reason))
            known = tuple(one.credential_id for one in factors if one.credential_id is not None)
            return Begun(factor_id, factor.type, factor.name, now, secret, user.id, user.email, known)

        return _enrollment_body(await self._write(context, user_id, command, Begun), issuer, party)

    async def confirm_factor(
        self, context: Context, user_id: str, factor_id: str, body: ConfirmBody | ConfirmOwnBody, admit: Admit
    ) -> ConfirmedFactorBody:
        """Confirm a factor with the code that it shows; then sign-in asks for it. With the first one come backup codes.

        UserNotFound; MfaFactorNotFound; MfaAlreadyConfirmed; InvalidMfaCode, which counts; TooManyMfaAttempts. Of any
        number at once one confirms it.
        """
        proof = await self._proof_of(context.tenant_id, user_id, factor_id, body)
        codes = make_backup_codes()

        async def command(tx: Transaction) -> ConfirmedFactorBody:
            now = self._clock.now_ms()
            user = await self._hold(tx, user_id, admit)
            pending = await repository.get_factor(tx, user_id, factor_id)
            if pending is None or not is_alive(pending, now):
                raise MfaFactorNotFound
            if pending.confirmed_at is not None:
                raise MfaAlreadyConfirmed
            await self.services.mfa.require_attempt(tx, user_id)
            if proof is None:
                raise InvalidMfaCode
            factor = await repository.update_confirmed(tx, user_id, factor_id, proof, now)
            if factor is None:
                raise MfaAlreadyConfirmed
            if not user.mfa_enrolled:
                await self._replace_backup_codes(tx, user_id, codes, now)
            await self._note_enrolled(tx, user, now)
            await self.services.audit.record(tx, context, factor_added(user, factor))
            await self._tell(tx, user, EmailTemplate.FACTOR_ADDED, factor)
            return ConfirmedFactorBody(factor=factor_body(factor), backup_codes=UNSET if user.mfa_enrolled else codes)

        try:
            return await self._write(context, user_id, command, ConfirmedFactorBody)
        except InvalidMfaCode:
            await self.services.mfa.count_failure(context, user_id)
            raise

    async def remove_factor(
        self, context: Context, user_id: str, factor_id: str, reason: str | None, admit: Admit
    ) -> None:
        """Remove a factor, confirmed or not. With the last confirmed one the backup codes go as well.

        UserNotFound; MfaFactorNotFound. Access tokens from before are stale then.
        """

        async def command(tx: Transaction) -> None:
            now = self._clock.now_ms()
            before = await self._hold(tx, user_id, admit)
            factor = await repository.delete_factor(tx, user_id, factor_id)
            if factor is None:
                raise MfaFactorNotFound
            after = before if factor.confirmed_at is None else await self._note_enrolled(tx, before, now)
            if not after.mfa_enrolled:
                await repository.delete_backup_codes(tx, user_id)
            await self.services.audit.record(tx, context, factor_removed(before, after, factor, reason))
            if factor.confirmed_at is not None:
                await self._tell(tx, before, EmailTemplate.FACTOR_REMOVED, factor)

        await self._write(context, user_id, command, type(None))

    async def generate_backup_codes(
        self, context: Context, user_id: str, reason: str | None, admit: Admit
    ) -> BackupCodesBody:
        """Give a user new backup codes in the place of those from before. UserNotFound; NoMfaFactor."""
        codes = make_backup_codes()

        async def command(tx: Transaction) -> BackupCodesBody:
            user = await self._hold(tx, user_id, admit)
            if not user.mfa_enrolled:
                raise NoMfaFactor
            await self._replace_backup_codes(tx, user_id, codes, self._clock.now_ms())
            await self.services.audit.record(tx, context, backup_codes_generated(user, reason))
            return BackupCodesBody(codes)

        return await self._write(context, user_id, command, BackupCodesBody)

    async def _hold(self, tx: Transaction, user_id: str, admit: Admit) -> User:
        """Return the user, whom nobody else changes until `tx` ends."""
        user = (await self.services.users.lock_users(tx, [user_id])).get(user_id)
        if user is None:
            raise UserNotFound
        await admit(tx, user)
        return user

    async def _proof_of(
        self, tenant_id: str, user_id: str, factor_id: str, body: ConfirmBody | ConfirmOwnBody
    ) -> int | Passkey | None:
        """Return the time step or the passkey that a factor is confirmed with; None when it is not."""

        async def query(reader: Reader) -> Factor | None:
            return await repository.get_factor(reader, user_id, factor_id)

        factor = await self._db.read(tenant_id, query)
        if factor is None or factor.confirmed_at is not None:
            return None
        credential = body.credential if isinstance(body, ConfirmOwnBody) else None
        if factor.type is FactorType.TOTP:
            return None if body.code is None else self.services.mfa.matching_step(tenant_id, factor, body.code)
        if credential is None:
            return None
        challenge = challenge_of(self.services.mfa.open_secret(tenant_id, factor))
        return verified_passkey(await self.services.mfa.require_party(tenant_id), challenge, credential)

    async def _replace_backup_codes(self, tx: Transaction, user_id: str, codes: list[str], now_ms: int) -> None:
        hashes = [self.services.mfa.hash_backup_code(tx.tenant_id, user_id, code) for code in codes]
        await repository.delete_backup_codes(tx, user_id)
        await repository.insert_backup_codes(tx, user_id, hashes, now_ms)

    async def _note_enrolled(self, tx: Transaction, before: User, now_ms: int) -> User:
        enrolled = await repository.count_confirmed(tx, before.id) > 0
        after = await repository.update_enrolled(tx, before.id, now_ms, enrolled=enrolled)
        await self.services.sessions.refuse_older(tx, {after.id: after.generation}, now_ms)
        await change_counters(tx, counter_changes(before, after))
        return after

    async def _tell(self, tx: Transaction, user: User, template: EmailTemplate, factor: Factor) -> None:
        """Tell the user by mail, where mail can be sent."""
        if self.services.emails.is_configured:
            await self.services.emails.queue(
                tx, Email(template, user.email, user.id, {"factor": said_type(factor.type)})
            )

    async def _write(self, context: Context, user_id: str, command: Command[T], result: type[T]) -> T:
        """Write. A replay is guarded like the first call."""
        say_subject(context, user_id)
        guard = self.services.users.upward_guard(context, user_id)
        return await self._db.write(context.tenant_id, command, result, guard=guard, idempotency=context.idempotency)


class UserFactorService:
    """Acts of administrators. Each may raise UserNotFound, UserDeleted, and InsufficientScope for a privileged role."""

    def __init__(self, factors: FactorService) -> None:
        self._factors = factors
        self._services = factors.services

    async def list_factors(self, tenant_id: str, user_id: str) -> FactorListBody:
        """Return a user's second factors."""
        return await self._factors.list_factors(tenant_id, user_id)

    async def begin_enrollment(self, context: Context, user_id: str, body: EnrollUserBody) -> EnrollmentBody:
        """Begin a second factor for somebody else. MfaFactorLimit."""
        return await self._factors.begin_enrollment(context, _known(user_id), body, self._admit(context))

    async def confirm_factor(
        self, context: Context, user_id: str, factor_id: str, body: ConfirmBody
    ) -> ConfirmedFactorBody:
        """Confirm it. MfaFactorNotFound; MfaAlreadyConfirmed; Invalid for a wrong code, which counts as the user's."""
        try:
            return await self._factors.confirm_factor(context, _known(user_id), factor_id, body, self._admit(context))
        except InvalidMfaCode as wrong:
            raise Invalid(details=[FieldError("code", FieldCode.INVALID, wrong.message)]) from wrong

    async def remove_factor(self, context: Context, user_id: str, factor_id: str, reason: str | None) -> None:
        """Remove a second factor of somebody who has lost it. MfaFactorNotFound."""
        await self._factors.remove_factor(context, _known(user_id), factor_id, reason, self._admit(context))

    async def generate_backup_codes(self, context: Context, user_id: str, reason: str | None) -> BackupCodesBody:
        """Make backup codes for somebody else. NoMfaFactor."""
        return await self._factors.generate_backup_codes(context, _known(user_id), reason, self._admit(context))

    def _admit(self, context: Context) -> Admit:
        async def admit(tx: Transaction, user: User) -> None:
            require_never_upward(context.principal, await self._services.roles.list_privileges(tx, [user.role]))
            if user.deleted_at is not None:
                raise UserDeleted

        return admit


class OwnFactorService:
    """Acts of users on their own second factors. What changes those that protect them needs the password or a code."""

    def __init__(self, factors: FactorService) -> None:
        self._factors = factors
        self._services = factors.services

    async def list_factors(self, context: Context) -> FactorListBody:
        """Return the user's second factors."""
        return await self._factors.list_factors(context.tenant_id, session_of_caller(context).user_id)

    async def begin_enrollment(self, context: Context, body: EnrollOwnBody) -> EnrollmentBody:
        """Begin a second factor; who has one already must prove to be the user. MfaFactorLimit; as _proved."""
        user_id = session_of_caller(context).user_id

        async def act(admit: Admit) -> EnrollmentBody:
            return await self._factors.begin_enrollment(context, user_id, body, admit)

        if body.password is not None or body.code is not None or body.passkey is not None:
            return await self._proved(context, body, act)

        async def admit_first(tx: Transaction, user: User) -> None:
            await self._require_stands(tx, context)
            if user.mfa_enrolled:
                raise ReauthenticationRequired

        return await act(admit_first)

    async def confirm_factor(self, context: Context, factor_id: str, body: ConfirmOwnBody) -> ConfirmedFactorBody:
        """Confirm a second factor. MfaFactorNotFound; MfaAlreadyConfirmed; InvalidMfaCode; TooManyMfaAttempts."""
        faults = faults_together(body)
        if faults:
            raise Invalid(details=faults)

        async def admit(tx: Transaction, _user: User) -> None:
            await self._require_stands(tx, context)

        user_id = session_of_caller(context).user_id
        return await self._factors.confirm_factor(context, user_id, factor_id, body, admit)

    async def remove_factor(self, context: Context, factor_id: str, body: ProofBody) -> None:
        """Remove a second factor. MfaFactorNotFound; as _proved."""

        async def act(admit: Admit) -> None:
            await self._factors.remove_factor(context, session_of_caller(context).user_id, factor_id, None, admit)

        await self._proved(context, body, act)

    async def generate_backup_codes(self, context: Context, body: ProofBody) -> BackupCodesBody:
        """Make new backup codes. NoMfaFactor; as _proved."""

        async def act(admit: Admit) -> BackupCodesBody:
            return await self._factors.generate_backup_codes(context, session_of_caller(context).user_id, None, admit)

        return await self._proved(context, body, act)

    async def _proved(
        self, context: Context, body: ProofBody | EnrollOwnBody, act: Callable[[Admit], Awaitable[T]]
    ) -> T:
        """Run `act` for who proved to be the user; it is done only while the proof holds.

        ReauthenticationRequired without one; InvalidCredentials, AccountLocked; InvalidMfaCode, TooManyMfaAttempts;
        InvalidPasskey for a challenge that is over or was used.
        """
        faults = faults_together(body)
        if faults:
            raise Invalid(details=faults)
        user_id = session_of_caller(context).user_id
        if body.password is not None:
            verified_hash = await self._services.auth.verify_password(context, user_id, body.password)

            async def admit_password(tx: Transaction, user: User) -> None:
                await self._require_stands(tx, context)
                await self._services.auth.require_password(tx, user, verified_hash)

            return await act(admit_password)
        passkey = body.passkey

        async def with_code(match: CodeMatch) -> T:
            async def admit_code(tx: Transaction, _user: User) -> None:
                await self._require_stands(tx, context)
                if passkey is not None:
                    await self._services.mfa.spend_passkey_challenge(tx, user_id, passkey.challenge_id)
                await self._services.mfa.spend_code(tx, match)

            return await act(admit_code)

        match = await self._match(context.tenant_id, user_id, body)
        return await self._services.mfa.with_match(context, user_id, match, with_code)

    async def _match(self, tenant_id: str, user_id: str, body: ProofBody | EnrollOwnBody) -> CodeMatch | None:
        """Return the factor that a code or passkey is of; ReauthenticationRequired without any; InvalidPasskey."""
        mfa, passkey = self._services.mfa, body.passkey
        if body.code is not None:
            return await mfa.match_code(tenant_id, user_id, body.code)
        if passkey is None:
            raise ReauthenticationRequired
        if not mfa.is_good_passkey_challenge(tenant_id, passkey.challenge_id):
            raise InvalidPasskey
        return await mfa.match_passkey(tenant_id, user_id, passkey.challenge_id, passkey.credential, verified=True)

    async def _require_stands(self, tx: Transaction, context: Context) -> None:
        await self._services.access_tokens.require_session_stands(tx, session_of_caller(context).id)


def _known(user_id: str) -> str:
    """Return the id; UserNotFound when it is of no user by its form."""
    if not is_id(user_id, IdPrefix.USER):
        raise UserNotFound
    return user_id


def _enrollment_body(begun: Begun, issuer: str, party: RelyingParty | None) -> EnrollmentBody:
    body = EnrollmentBody(
        id=begun.id,
        type=begun.type,
        name=begun.name,
        created_at=format_time(begun.created_at),
        expires_at=format_time(begun.created_at + PENDING_FACTOR_MS),
    )
    if party is not None:
        user = (begun.user_id, begun.email)
        options = registration_options(party, challenge_of(begun.secret), user, begun.known)
        return msgspec.structs.replace(body, public_key=options)
    uri = otpauth_uri(begun.secret, begun.email, issuer)
    return msgspec.structs.replace(body, secret=begun.secret, otpauth_uri=uri, qr_code=qr_data_uri(uri))
