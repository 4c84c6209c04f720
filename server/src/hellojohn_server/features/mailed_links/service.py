"""The rules of links that administrators have mailed again, and of addresses that links verify."""

from collections.abc import Callable, Sequence
from typing import Final

from hellojohn_server.features.action_tokens.errors import LinkInvalid
from hellojohn_server.features.action_tokens.schemas import ActionPurpose, Link
from hellojohn_server.features.action_tokens.service import ActionTokenService, LinkMailer, require_token
from hellojohn_server.features.audit.events import Event
from hellojohn_server.features.audit.service import AuditLog
from hellojohn_server.features.auth.schemas import as_user
from hellojohn_server.features.email_changes.service import EmailChangeService
from hellojohn_server.features.mailed_links import repository
from hellojohn_server.features.mailed_links.errors import EmailAlreadyVerified, UserNotPending
from hellojohn_server.features.mailed_links.events import email_verified, invitation_sent, verification_sent
from hellojohn_server.features.mailed_links.schemas import LinkQueuedBody, VerifyEmailBody
from hellojohn_server.features.user_access.schemas import ReasonBody
from hellojohn_server.features.user_acts.schemas import Case
from hellojohn_server.features.user_acts.service import Act, UserActs
from hellojohn_server.features.users.errors import UserNotFound
from hellojohn_server.features.users.schemas import User, is_pending
from hellojohn_server.features.users.service import UserService, change_counters, say_subject
from hellojohn_server.kit.action_tokens import ActionToken
from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.principal import Context
from hellojohn_server.storage.database import Database, Reader, Transaction

_VERIFICATION: Final = ActionPurpose.EMAIL_VERIFICATION


class MailLink(Act):
    """A link to whoever `require` lets have one. Nothing of the user changes."""

    statement = repository.UPDATE_NOTHING

    def __init__(
        self,
        reason: str | None,
        mailer: LinkMailer,
        link: Link,
        require: Callable[[User], None],
        entry: Callable[[User, str | None], Event],
    ) -> None:
        super().__init__(reason)
        self._mailer = mailer
        self._link = link
        self._require = require
        self._entry = entry

    def holds(self, case: Case) -> bool:  # noqa: ARG002 - each call mails a link
        return False

    def event(self, case: Case) -> Event:
        return self._entry(case.before, self.reason)

    async def follow_up(self, tx: Transaction, cases: Sequence[Case]) -> None:
        for case in cases:
            self._require(case.before)
            await self._mailer.mail(tx, self._link, case.before.id, case.before.email)


class MailedLinkService:
    """Users of one tenant at a time: that of the key."""

    def __init__(  # noqa: PLR0913 - what it takes, each by name
        self,
        db: Database,
        clock: Clock,
        audit: AuditLog,
        mailer: LinkMailer,
        action_tokens: ActionTokenService,
        *,
        acts: UserActs,
        users: UserService,
        changes: EmailChangeService,
    ) -> None:
        self._db = db
        self._clock = clock
        self._audit = audit
        self._mailer = mailer
        self._action_tokens = action_tokens
        self._acts = acts
        self._users = users
        self._changes = changes

    async def resend_verification(self, context: Context, user_id: str, body: ReasonBody) -> LinkQueuedBody:
        """Mail a user a link that verifies the address. EmailAlreadyVerified; MailNotConfigured; as every act."""
        link = await self._mailer.prepare(context.tenant_id, _VERIFICATION)
        act = MailLink(body.reason, self._mailer, link, _require_unverified, verification_sent)
        return await self._perform(context, user_id, act)

    async def resend_invitation(self, context: Context, user_id: str, body: ReasonBody) -> LinkQueuedBody:
        """Mail an invited user another link. UserNotPending; MailNotConfigured; as every act on one user."""
        link = await self._mailer.prepare(context.tenant_id, ActionPurpose.INVITATION)
        act = MailLink(body.reason, self._mailer, link, _require_pending, invitation_sent)
        return await self._perform(context, user_id, act)

    async def verify_email(self, context: Context, body: VerifyEmailBody) -> None:
        """Verify an address with a link, or change it if that is what the link is for. Of any number at once one does.

        LinkInvalid, LinkExpired, LinkUsed; EmailAlreadyExists for an address that another user has by now.
        """
        token = require_token(context.tenant_id, body.token)
        if await self._changes.is_change(token):
            await self._changes.confirm_change(context, token)
            return
        user = await self._owner_of(token)
        acting = as_user(context, user.id, user.email)

        async def command(tx: Transaction) -> None:
            before = await repository.get_user_locked(tx, user.id)
            if before is None or before.deleted_at is not None:
                raise LinkInvalid
            await self._action_tokens.use(tx, token, _VERIFICATION, before.email_key)
            if await repository.update_verified(tx, user.id, self._clock.now_ms()) is not None:
                await change_counters(tx, {"email_verified": 1})
            await self._audit.record(tx, acting, email_verified(before))

        await self._db.write(context.tenant_id, command, type(None))

    async def require_good(self, token: ActionToken) -> None:
        """Raise LinkInvalid, LinkExpired or LinkUsed unless a link verifies an address now. Nothing is used up."""
        if await self._changes.is_change(token):
            await self._changes.require_good(token)
        else:
            await self._owner_of(token)

    async def _owner_of(self, token: ActionToken) -> User:
        async def query(reader: Reader) -> User | None:
            row = await self._action_tokens.require_good(reader, token, _VERIFICATION)
            return await repository.get_user(reader, row.user_id)

        user = await self._db.read(token.tenant_id, query)
        if user is None or user.deleted_at is not None:
            raise LinkInvalid
        return user

    async def _perform(self, context: Context, user_id: str, act: Act) -> LinkQueuedBody:
        async def command(tx: Transaction) -> LinkQueuedBody:
            outcome = await self._acts.perform(tx, context, act, [user_id])
            if outcome.not_found:
                raise UserNotFound
            for refusal in outcome.refused:
                raise refusal.error
            return LinkQueuedBody(email_queued=True)

        say_subject(context, user_id)
        return await self._db.write(
            context.tenant_id,
            command,
            LinkQueuedBody,
            guard=self._users.upward_guard(context, user_id),
            idempotency=context.idempotency,
        )


def _require_unverified(user: User) -> None:
    if user.email_verified:
        raise EmailAlreadyVerified


def _require_pending(user: User) -> None:
    if not is_pending(user):
        raise UserNotPending
