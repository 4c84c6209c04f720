"""The rules of a user's own change of address: who asks has the password, and who confirms has the new address.

Whoever asks learns nothing of whether anybody has the address: one answer, after the same time. Only who reads mail to
it is told.
"""

from typing import Final

import msgspec

from hellojohn_server.features.access_tokens.service import AccessTokenService
from hellojohn_server.features.action_tokens.errors import LinkInvalid
from hellojohn_server.features.action_tokens.schemas import ActionPurpose, ActionTokenRow, Link
from hellojohn_server.features.action_tokens.service import ActionTokenService, LinkMailer, delete_links
from hellojohn_server.features.audit.service import AuditLog
from hellojohn_server.features.auth.errors import PasswordResetRequired, SessionRevoked
from hellojohn_server.features.auth.schemas import as_user, session_of_caller
from hellojohn_server.features.auth.service import AuthService
from hellojohn_server.features.email_changes import repository
from hellojohn_server.features.email_changes.events import email_change_requested, email_changed
from hellojohn_server.features.email_changes.schemas import ChangeEmailBody, EmailChangeBody
from hellojohn_server.features.sessions.service import SessionService
from hellojohn_server.features.users.errors import EmailAlreadyExists, EmailBanned
from hellojohn_server.features.users.schemas import User, is_banned
from hellojohn_server.features.users.service import UserService
from hellojohn_server.kit.action_tokens import ActionToken
from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.error_codes import FieldCode
from hellojohn_server.kit.errors import FieldError, Invalid
from hellojohn_server.kit.floors import TimeFloor
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.rate_limits import Limit, RateLimiter
from hellojohn_server.kit.secrets import AddressHasher, Sealer, WrongSeal
from hellojohn_server.kit.text import email_key
from hellojohn_server.storage.database import Database, Reader, Transaction
from hellojohn_server.storage.errors import UniqueViolation

_PURPOSE: Final = ActionPurpose.EMAIL_CHANGE
_SAME: Final = FieldError("email", FieldCode.INVALID, "Must be another address than the one that you have.")


class EmailChangeServices(msgspec.Struct, frozen=True):
    """The services that a change of address stands on."""

    audit: AuditLog
    mailer: LinkMailer
    action_tokens: ActionTokenService
    access_tokens: AccessTokenService
    auth: AuthService
    users: UserService
    sessions: SessionService
    addresses: AddressHasher
    sealer: Sealer
    limiter: RateLimiter


class EmailChangeService:
    """Users of one tenant at a time: the user of the access token, then whoever has the link."""

    def __init__(self, db: Database, clock: Clock, services: EmailChangeServices, *, floor_seconds: float) -> None:
        self._db = db
        self._clock = clock
        self._services = services
        self._floor = TimeFloor(floor_seconds)

    async def request_change(self, context: Context, body: ChangeEmailBody) -> EmailChangeBody:
        """Mail a link to an address that is to be the user's, or a warning to whoever has it.

        MailNotConfigured, with nothing changed; RateLimited, too often for the user or the address; Invalid for the
        address that the user has; InvalidCredentials for a wrong password, which counts as a failed sign-in does;
        AccountLocked; PasswordResetRequired. When the user's access was stopped meanwhile: SessionRevoked,
        AccountDisabled. A change that was asked for before is good no more, whoever has the address.
        """
        self._services.mailer.require_configured()
        session, key = session_of_caller(context), email_key(body.email)
        for subject in (session.user_id, key):
            self._services.limiter.count(Limit.FORGOT, (context.tenant_id, subject))
        async with self._floor.held():
            password = body.current_password
            verified_hash = await self._services.auth.verify_password(context, session.user_id, password)
            link = await self._services.mailer.prepare(context.tenant_id, _PURPOSE)
            sealed = self._services.sealer.seal(body.email.encode(), *_place(link.token))

            async def command(tx: Transaction) -> EmailChangeBody:
                user = (await self._services.users.lock_users(tx, [session.user_id])).get(session.user_id)
                await self._services.access_tokens.require_session_stands(tx, session.id)
                if user is None:
                    raise SessionRevoked
                await self._services.auth.require_password(tx, user, verified_hash)
                if user.password_reset_required:
                    raise PasswordResetRequired
                if user.email_key == key:
                    raise Invalid(details=[_SAME])
                await delete_links(tx, [user.id], [_PURPOSE])
                await self._mail(tx, user, body.email, (link, sealed))
                await self._services.audit.record(tx, context, email_change_requested(user.id))
                return EmailChangeBody()

            return await self._db.write(context.tenant_id, command, EmailChangeBody)

    async def is_change(self, token: ActionToken) -> bool:
        """Say whether a link changes an address, however long it has been over."""

        async def query(reader: Reader) -> bool:
            return await self._services.action_tokens.get_purpose(reader, token) == _PURPOSE

        return await self._db.read(token.tenant_id, query)

    async def require_good(self, token: ActionToken) -> None:
        """Raise LinkInvalid, LinkExpired or LinkUsed unless a link changes an address now. Nothing is used up."""
        await self._change_of(token)

    async def confirm_change(self, context: Context, token: ActionToken) -> None:
        """Make the address that a link went to the user's, verified. Of any number at once with one link one does.

        LinkInvalid, also while the user is kept out or must reset the password; LinkExpired, LinkUsed.
        EmailAlreadyExists, alike for an address that a user has, that one in the recycle bin has, and that is banned;
        it uses nothing up. Of any number of users at once with one address one gets it.
        """
        user, email = await self._change_of(token)
        acting = as_user(context, user.id, user.email)

        async def command(tx: Transaction) -> None:
            now = self._clock.now_ms()
            before = (await self._services.users.lock_users(tx, [user.id])).get(user.id)
            if before is None or _may_not_change(before, now):
                raise LinkInvalid
            await self._services.action_tokens.use(tx, token, _PURPOSE, before.email_key)
            after = _with_email(before, email, now)
            await self._services.users.store_change(tx, before, after)
            await self._services.sessions.refuse_older(tx, {after.id: after.generation}, now)
            await self._services.audit.record(tx, acting, email_changed(before, after))

        try:
            await self._db.write(token.tenant_id, command, type(None))
        except (UniqueViolation, EmailBanned) as taken:
            raise EmailAlreadyExists from taken

    async def _mail(self, tx: Transaction, user: User, email: str, change: tuple[Link, bytes]) -> None:
        """Mail the link, unless the address is taken: then only the one who has it and is not kept out is told."""
        now, key = self._clock.now_ms(), email_key(email)
        owner = await repository.get_user_by_email(tx, key)
        if owner is not None:
            if not _is_kept_out(owner, now):
                await self._services.mailer.tell_owner(tx, owner.id, owner.email)
            return
        if await repository.get_closed_address(tx, self._services.addresses.hash(tx.tenant_id, key), now) is None:
            await self._services.mailer.mail_change(tx, change, (user.id, user.email_key), email)

    async def _change_of(self, token: ActionToken) -> tuple[User, str]:
        """Return whose address a good link changes, and to which."""

        async def query(reader: Reader) -> tuple[ActionTokenRow, User | None]:
            row = await self._services.action_tokens.require_good(reader, token, _PURPOSE)
            return row, await repository.get_user(reader, row.user_id)

        row, user = await self._db.read(token.tenant_id, query)
        if user is None or row.sealed_email is None or _may_not_change(user, self._clock.now_ms()):
            raise LinkInvalid
        try:
            return user, self._services.sealer.open(row.sealed_email, *_place(token)).decode()
        except WrongSeal as error:
            raise LinkInvalid from error


def _place(token: ActionToken) -> tuple[str, ...]:
    """Return where the address is kept: in the row of the link's secret."""
    return (token.tenant_id, "action_tokens", token.token_hash.hex(), "sealed_email")


def _is_kept_out(user: User, now_ms: int) -> bool:
    return user.disabled or user.deleted_at is not None or is_banned(user, now_ms)


def _may_not_change(user: User, now_ms: int) -> bool:
    """Say whether no link changes the user's address: where a reset is required, whoever asked may not be the user."""
    return user.password_reset_required or _is_kept_out(user, now_ms)


def _with_email(user: User, email: str, now_ms: int) -> User:
    return msgspec.structs.replace(
        user,
        email=email,
        email_key=email_key(email),
        email_verified=True,
        locked_at=None,
        locked_until=None,
        updated_at=now_ms,
        version=user.version + 1,
        generation=user.generation + 1,
    )
