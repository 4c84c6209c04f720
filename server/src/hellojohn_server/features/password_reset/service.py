"""The rules of resets: who is mailed a link, what the link does, and what a required reset refuses.

Whoever asks for a link learns nothing of whether anybody has the address: one answer, after the same time.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from hellojohn_server.features.action_tokens.errors import LinkInvalid
from hellojohn_server.features.action_tokens.schemas import ActionPurpose, Grant
from hellojohn_server.features.action_tokens.service import ActionTokenService, delete_links, require_token
from hellojohn_server.features.audit.events import Event
from hellojohn_server.features.audit.service import AuditLog
from hellojohn_server.features.auth.schemas import as_user
from hellojohn_server.features.emails.schemas import Email
from hellojohn_server.features.emails.service import EmailService
from hellojohn_server.features.mfa.service import MfaService
from hellojohn_server.features.password_policy.service import NewPasswords
from hellojohn_server.features.password_reset import repository
from hellojohn_server.features.password_reset.events import (
    invitation_accepted,
    password_reset,
    password_reset_forced,
    password_reset_requested,
)
from hellojohn_server.features.password_reset.schemas import (
    AcceptedBody,
    ForceResetBody,
    ForgotPasswordBody,
    ResetForcedBody,
    ResetPasswordBody,
)
from hellojohn_server.features.sessions.schemas import Ending, RevokeCause
from hellojohn_server.features.sessions.service import SessionService
from hellojohn_server.features.user_acts.schemas import Case, Moment
from hellojohn_server.features.user_acts.service import Act, UserActs
from hellojohn_server.features.users.errors import UserNotFound
from hellojohn_server.features.users.schemas import User, is_banned
from hellojohn_server.features.users.service import UserService, change_counters, counter_changes, say_subject
from hellojohn_server.kit.action_tokens import ActionToken, make_action_token
from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.email_templates import EmailTemplate, NewPasswordBy
from hellojohn_server.kit.error_codes import FieldCode
from hellojohn_server.kit.errors import FieldError, Invalid
from hellojohn_server.kit.floors import TimeFloor
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.rate_limits import Limit, RateLimiter
from hellojohn_server.kit.secrets import AddressHasher
from hellojohn_server.kit.text import email_key
from hellojohn_server.storage.database import Database, Parameter, Reader, Transaction

_AT_A_TIME: Final = 100
_MAILS_AT_A_TIME: Final = 250
_PURPOSE: Final = ActionPurpose.PASSWORD_RESET


class ResetServices(msgspec.Struct, frozen=True):
    """The services that resets stand on."""

    audit: AuditLog
    emails: EmailService
    action_tokens: ActionTokenService
    acts: UserActs
    users: UserService
    sessions: SessionService
    passwords: NewPasswords
    addresses: AddressHasher
    limiter: RateLimiter
    mfa: MfaService


class ForcePasswordReset(Act):
    """A link for another password. With `require` the old one is good no more; sessions end with `revoke`."""

    statement = repository.UPDATE_RESET_REQUIRED

    def __init__(
        self, body: ForceResetBody, services: ResetServices, tokens: Mapping[str, ActionToken], page: str
    ) -> None:
        super().__init__(body.reason)
        self._services = services
        self._require = body.require
        self._tokens = tokens
        self._page = page
        self.ends = RevokeCause.PASSWORD_RESET_FORCED if body.revoke_sessions else None

    def holds(self, case: Case) -> bool:  # noqa: ARG002 - each call mails a link
        return False

    def values(self, moment: Moment) -> dict[str, Parameter]:
        return {**super().values(moment), "require": self._require, "raised": 0 if self.ends is None else 1}

    def event(self, case: Case) -> Event:
        return password_reset_forced(case.before, case.after, self.reason, case.ended)

    async def follow_up(self, tx: Transaction, cases: Sequence[Case]) -> None:
        users = [case.before for case in cases]
        grants = [Grant(self._tokens[user.id], user.id, user.email_key) for user in users]
        await self._services.action_tokens.give_tokens(tx, _PURPOSE, grants)
        template = EmailTemplate.PASSWORD_RESET_FORCED if self._require else EmailTemplate.PASSWORD_RESET
        links = self._services.action_tokens
        mails = [
            Email(template, user.email, user.id, links.values_of(_PURPOSE, self._page, self._tokens[user.id]))
            for user in users
        ]
        for start in range(0, len(mails), _MAILS_AT_A_TIME):
            await self._services.emails.queue_many(tx, mails[start : start + _MAILS_AT_A_TIME])
            if len(mails) > _MAILS_AT_A_TIME:
                await tx.slice()


class PasswordResetService:
    """Users of one tenant at a time: that of the key."""

    def __init__(self, db: Database, clock: Clock, services: ResetServices, *, floor_seconds: float) -> None:
        self._db = db
        self._clock = clock
        self._services = services
        self._floor = TimeFloor(floor_seconds)

    async def force_reset(self, context: Context, user_id: str, body: ForceResetBody) -> ResetForcedBody:
        """Mail a user a link for another password.

        Raises as every act on one user does; MailNotConfigured, with nothing changed. Each call is a change: a new link
        takes the place of the one before.
        """
        act = await self.forcing(context, [user_id], body)

        async def command(tx: Transaction) -> ResetForcedBody:
            outcome = await self._services.acts.perform(tx, context, act, [user_id])
            if outcome.not_found:
                raise UserNotFound
            for refusal in outcome.refused:
                raise refusal.error
            return ResetForcedBody(email_queued=True, sessions_revoked=outcome.revocation.sessions_revoked)

        say_subject(context, user_id)
        return await self._db.write(
            context.tenant_id,
            command,
            ResetForcedBody,
            guard=self._services.users.upward_guard(context, user_id),
            idempotency=context.idempotency,
        )

    async def forcing(self, context: Context, user_ids: Sequence[str], body: ForceResetBody) -> ForcePasswordReset:
        """Return the act that forces resets of these users, with a secret for each. MailNotConfigured."""
        self._services.emails.require_configured()
        page = await self._services.action_tokens.get_page(context.tenant_id, _PURPOSE)
        tokens: dict[str, ActionToken] = {}
        for number, user_id in enumerate(dict.fromkeys(user_ids), 1):
            tokens[user_id] = make_action_token(context.tenant_id)
            if number % _AT_A_TIME == 0:
                await asyncio.sleep(0)
        return ForcePasswordReset(body, self._services, tokens, page)

    async def forgot_password(self, context: Context, body: ForgotPasswordBody) -> AcceptedBody:
        """Mail a link to whoever has the address, unless nobody has it or the user is kept out, or mail is off.

        The answer tells nothing of that, and neither does its time. RateLimited: too often for the address, whoever has
        it.
        """
        key = email_key(body.email)
        self._services.limiter.count(Limit.FORGOT, (context.tenant_id, key))
        async with self._floor.held():
            if self._services.emails.is_configured:
                await self._mail_link(context, key)
        return AcceptedBody()

    async def reset_password(self, context: Context, body: ResetPasswordBody) -> None:
        """Set a password with a link. Of any number at once with one link one does.

        LinkInvalid, LinkExpired, LinkUsed; Invalid for the old password again where a reset was required: that uses
        nothing up. PasswordHashingBusy.
        """
        await self._set_password(context, body, _PURPOSE)

    async def accept_invitation(self, context: Context, body: ResetPasswordBody) -> None:
        """Set the first password with the link of an invitation. Raises as reset_password."""
        await self._set_password(context, body, ActionPurpose.INVITATION)

    async def require_good(self, token: ActionToken, purpose: ActionPurpose) -> None:
        """Raise LinkInvalid, LinkExpired or LinkUsed unless a link is good now. Nothing is used up."""
        await self._owner_of(token, purpose)

    async def _set_password(self, context: Context, body: ResetPasswordBody, purpose: ActionPurpose) -> None:
        token = require_token(context.tenant_id, body.token)
        user, stored = await self._owner_of(token, purpose)
        if user.password_reset_required and await self._is_old(context, body.password, stored):
            message = "Must be another password than the old one."
            raise Invalid(details=[FieldError("password", FieldCode.INVALID, message)])
        about = (user.email, user.username, user.name)
        password_hash = await self._services.passwords.hash(context.tenant_id, body.password, about)
        acting = as_user(context, user.id, user.email)

        async def command(tx: Transaction) -> None:
            before = await repository.get_user_locked(tx, user.id)
            if before is None:
                raise LinkInvalid
            await self._services.action_tokens.use(tx, token, purpose, before.email_key)
            after, ended, passkeys = await self._give_password(tx, before, password_hash)
            is_first = purpose is ActionPurpose.INVITATION
            if not is_first:
                await self._services.users.tell_new_password(tx, user.id, before.email, NewPasswordBy.LINK)
            entry = invitation_accepted if is_first else password_reset
            await self._services.audit.record(tx, acting, entry(before, after, ended, passkeys))

        await self._db.write(context.tenant_id, command, type(None))

    async def _is_old(self, context: Context, password: str, stored: str | None) -> bool:
        return (await self._services.passwords.hasher.verify(password, stored, owner=context.tenant_id)).matches

    async def _owner_of(self, token: ActionToken, purpose: ActionPurpose) -> tuple[User, str | None]:
        async def query(reader: Reader) -> tuple[User, str | None] | None:
            row = await self._services.action_tokens.require_good(reader, token, purpose)
            return await repository.get_password(reader, row.user_id)

        found = await self._db.read(token.tenant_id, query)
        if found is None or found[0].deleted_at is not None:
            raise LinkInvalid
        return found

    async def _mail_link(self, context: Context, key: str) -> None:
        async def query(reader: Reader) -> User | None:
            return await repository.get_user_by_email(reader, key)

        found = await self._db.read(context.tenant_id, query)
        page = await self._services.action_tokens.get_page(context.tenant_id, _PURPOSE)
        if found is None:
            return
        user_id, token = found.id, make_action_token(context.tenant_id)
        values = self._services.action_tokens.values_of(_PURPOSE, page, token)

        async def command(tx: Transaction) -> None:
            user = await repository.get_user_locked(tx, user_id)
            if user is None or user.email_key != key or _is_kept_out(user, self._clock.now_ms()):
                return
            await self._services.action_tokens.give_tokens(tx, _PURPOSE, [Grant(token, user.id, key)])
            await self._services.emails.queue(tx, Email(EmailTemplate.PASSWORD_RESET, user.email, user.id, values))
            await self._services.audit.record(tx, context, password_reset_requested(user.id))

        await self._db.write(context.tenant_id, command, type(None))

    async def _give_password(self, tx: Transaction, before: User, password_hash: str) -> tuple[User, int, int]:
        """Give a held user another password, end what ends with the old one; return how many sessions and passkeys did.

        Passkeys end where the address was not verified: whoever enrolled them had not proved to be the one who has it.
        """
        now = self._clock.now_ms()
        after = await repository.update_password_reset(tx, before.id, password_hash, now)
        if after is None:
            raise LinkInvalid
        passkeys = 0
        if not before.email_verified:
            after, passkeys = await self._services.mfa.forget_passkeys(tx, after)
        await change_counters(tx, counter_changes(before, after))
        await delete_links(tx, [before.id])
        await repository.delete_failures(tx, self._services.addresses.hash(tx.tenant_id, before.email_key))
        ending = Ending(RevokeCause.PASSWORD_RESET, before.id, now)
        ended = await self._services.sessions.revoke_sessions(tx, [before.id], ending)
        return after, ended.sessions_revoked, passkeys


def _is_kept_out(user: User, now_ms: int) -> bool:
    """Say whether a new password would be of no use to the user."""
    return user.disabled or user.deleted_at is not None or is_banned(user, now_ms)
