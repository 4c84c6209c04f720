"""The rules of invitations: who is mailed a link, and what it does for a user and for who becomes one.

Nothing tells whether anybody has the address, until whoever reads its mail uses the link.
"""

from typing import Final

import msgspec

from hellojohn_server.features.action_tokens.errors import LinkExpired, LinkInvalid
from hellojohn_server.features.action_tokens.schemas import ActionPurpose
from hellojohn_server.features.action_tokens.service import ActionTokenService, require_token
from hellojohn_server.features.audit.service import AuditLog
from hellojohn_server.features.auth.schemas import Entry, SignedInBody, as_user, refusal_of, session_of_caller
from hellojohn_server.features.auth.service import AuthService
from hellojohn_server.features.emails.schemas import Email
from hellojohn_server.features.emails.service import EmailService
from hellojohn_server.features.invitations import repository
from hellojohn_server.features.invitations.errors import (
    InvitationAlreadyExists,
    InvitationElsewhere,
    InvitationLimitReached,
    InvitationNotFound,
    InvitationPageMissing,
)
from hellojohn_server.features.invitations.events import invitation_created, invitation_resent, invitation_revoked
from hellojohn_server.features.invitations.schemas import (
    MAX_INVITATIONS,
    AcceptInvitationBody,
    CreateInvitationBody,
    Invitation,
    InvitationBody,
    ListInvitationsQuery,
    SignUpInvitedBody,
    invitation_body,
)
from hellojohn_server.features.mfa.service import MfaService
from hellojohn_server.features.organizations.errors import OrganizationNotFound
from hellojohn_server.features.organizations.schemas import BelongingBody, Organization
from hellojohn_server.features.organizations.service import OrganizationService
from hellojohn_server.features.password_policy.service import NewPasswords
from hellojohn_server.features.sessions.schemas import Session
from hellojohn_server.features.tenant_settings.service import TenantSettingsService
from hellojohn_server.features.users.errors import EmailAlreadyExists, EmailBanned, EmailInRecycleBin
from hellojohn_server.features.users.schemas import CreateUserBody, User
from hellojohn_server.features.users.service import UserService, say_subject
from hellojohn_server.kit.action_tokens import ActionToken, make_action_token
from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.email_templates import EmailTemplate
from hellojohn_server.kit.errors import InvalidToken
from hellojohn_server.kit.ids import IdFactory, IdPrefix, is_id
from hellojohn_server.kit.pagination import CursorCodec, Page, page_of
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.refresh_tokens import make_refresh_token
from hellojohn_server.kit.secrets import AddressHasher
from hellojohn_server.kit.text import email_key
from hellojohn_server.storage.database import Database, Exempt, Reader, Transaction
from hellojohn_server.storage.errors import UniqueViolation

LIFETIME_MS: Final = 7 * 86_400_000
"""How long an invitation is good: seven days from when it was mailed last."""
_PURPOSE: Final = ActionPurpose.INVITATION
_AMR: Final = ("pwd",)
_AT_A_TIME: Final = 500
_TAKEN: Final = (EmailBanned, EmailInRecycleBin)


class InvitationServices(msgspec.Struct, frozen=True):
    """The services that invitations stand on."""

    audit: AuditLog
    auth: AuthService
    emails: EmailService
    links: ActionTokenService
    organizations: OrganizationService
    passwords: NewPasswords
    users: UserService
    cursors: CursorCodec
    mfa: MfaService
    settings: TenantSettingsService
    addresses: AddressHasher


class _Joined(msgspec.Struct, frozen=True):
    """A new user who came by an invitation, and the session."""

    user: User
    session: Session
    enrolls: bool


class InvitationService:
    """Invitations into organizations of one tenant at a time: the tenant is the caller's."""

    def __init__(self, db: Database, ids: IdFactory, clock: Clock, services: InvitationServices) -> None:
        self._db = db
        self._ids = ids
        self._clock = clock
        self._services = services

    async def list_invitations(
        self, tenant_id: str, organization_id: str, query: ListInvitationsQuery
    ) -> Page[InvitationBody]:
        """Return a page of the open invitations to an organization. OrganizationNotFound; InvalidCursor."""
        await self._services.organizations.get_organization(tenant_id, organization_id)
        bound, cursors = ("invitations", organization_id), self._services.cursors
        after = None if query.cursor is None else str(cursors.decode(tenant_id, bound, query.cursor)[0])
        now = self._clock.now_ms()

        async def read(reader: Reader) -> Page[InvitationBody]:
            rows = query.limit + 1
            total, found = await repository.list_invitations(reader, organization_id, rows, after, now)
            page = [invitation_body(invitation) for invitation in found[: query.limit]]
            following = cursors.encode(tenant_id, bound, (page[-1].id,)) if len(found) > query.limit else None
            return page_of(page, query.limit, total, following)

        return await self._db.read(tenant_id, read)

    async def create_invitation(
        self, context: Context, organization_id: str, body: CreateInvitationBody
    ) -> InvitationBody:
        """Mail somebody a link into an organization, whether or not anybody has the address.

        MailNotConfigured and InvitationPageMissing, with nothing written; OrganizationNotFound; Invalid for a role that
        members cannot have; InvitationAlreadyExists; InvitationLimitReached.
        """
        self._require_ready(organization_id)
        token = make_action_token(context.tenant_id)
        invitation_id = self._ids.new(IdPrefix.INVITATION)

        async def command(tx: Transaction) -> InvitationBody:
            organization = await self._services.organizations.require_locked(tx, organization_id)
            await self._services.organizations.require_role(tx, body.role)
            now = self._clock.now_ms()
            await repository.delete_expired_of(tx, organization_id, now)
            if await repository.count_invitations(tx, organization_id) >= MAX_INVITATIONS:
                raise InvitationLimitReached
            invitation = Invitation(
                id=invitation_id,
                organization_id=organization_id,
                email=body.email,
                email_key=email_key(body.email),
                role=body.role,
                invited_by=context.principal.id,
                created_at=now,
                sent_at=now,
                expires_at=now + LIFETIME_MS,
            )
            await repository.insert_invitation(tx, invitation, token.token_hash)
            await self._mail(tx, organization, invitation, token)
            self._say_address(context, invitation)
            await self._services.audit.record(tx, context, invitation_created(invitation, body.reason))
            return invitation_body(invitation)

        try:
            return await self._db.write(context.tenant_id, command, InvitationBody, idempotency=context.idempotency)
        except UniqueViolation as taken:
            raise InvitationAlreadyExists from taken

    async def resend_invitation(
        self, context: Context, organization_id: str, invitation_id: str, reason: str | None
    ) -> InvitationBody:
        """Mail an invitation again, with a new link that is good for seven days; the one before is good no more.

        MailNotConfigured and InvitationPageMissing, with nothing written; OrganizationNotFound; InvitationNotFound.
        """
        self._require_ready(organization_id)
        token = make_action_token(context.tenant_id)

        async def command(tx: Transaction) -> InvitationBody:
            organization = await self._services.organizations.require_locked(tx, organization_id)
            before = await self._require_invitation(tx, organization_id, invitation_id)
            now = self._clock.now_ms()
            invitation = msgspec.structs.replace(before, sent_at=now, expires_at=now + LIFETIME_MS)
            await repository.update_sent(tx, invitation, token.token_hash)
            await self._mail(tx, organization, invitation, token)
            self._say_address(context, invitation)
            await self._services.audit.record(tx, context, invitation_resent(invitation, reason))
            return invitation_body(invitation)

        return await self._db.write(context.tenant_id, command, InvitationBody, idempotency=context.idempotency)

    async def revoke_invitation(
        self, context: Context, organization_id: str, invitation_id: str, reason: str | None
    ) -> None:
        """Have an invitation be good no more. OrganizationNotFound; InvitationNotFound."""

        async def command(tx: Transaction) -> None:
            await self._services.organizations.require_locked(tx, organization_id)
            invitation = await self._require_invitation(tx, organization_id, invitation_id)
            await repository.delete_invitation(tx, invitation_id)
            await self._services.audit.record(tx, context, invitation_revoked(invitation, reason))

        if not is_id(organization_id, IdPrefix.ORGANIZATION):
            raise OrganizationNotFound
        await self._db.write(context.tenant_id, command, type(None), idempotency=context.idempotency)

    async def accept_invitation(self, context: Context, body: AcceptInvitationBody) -> BelongingBody:
        """Make the user a member by a link. Of any number at once with one link, one is used.

        LinkInvalid, LinkExpired; InvitationElsewhere; AlreadyMember, which uses nothing up.
        """
        token = require_token(context.tenant_id, body.token)
        user_id = session_of_caller(context).user_id
        organization_id = (await self._require_good(token)).organization_id

        async def command(tx: Transaction) -> BelongingBody:
            user = (await self._services.users.lock_users(tx, [user_id])).get(user_id)
            if user is None:
                raise InvalidToken
            refusal = refusal_of(user, self._clock.now_ms())
            if refusal is not None:
                raise refusal
            return await self._join(tx, context, organization_id, token, user)

        return await self._db.write(context.tenant_id, command, BelongingBody)

    async def sign_up(self, context: Context, body: SignUpInvitedBody) -> SignedInBody:
        """Make a user of whoever has a link, with the address that it was mailed to, verified thereby; and sign in.

        LinkInvalid, LinkExpired; EmailAlreadyExists when somebody has the address, who is to sign in and accept;
        UsernameAlreadyExists; Invalid for a password that the tenant does not take. Of any number at once with one
        link, one is used.
        """
        token = require_token(context.tenant_id, body.token)
        invitation = await self._require_good(token)
        about = (invitation.email, body.name, body.username)
        password_hash = await self._services.passwords.hash(context.tenant_id, body.password, about)
        user_id = self._ids.new(IdPrefix.USER)
        refresh = make_refresh_token(self._ids.new(IdPrefix.SESSION))
        acting = as_user(context, user_id, invitation.email)
        wanted = CreateUserBody(
            email=invitation.email,
            email_verified=True,
            password=body.password,
            name=body.name,
            username=body.username,
        )

        async def command(tx: Transaction) -> _Joined:
            made = await self._services.users.add_user(tx, acting, user_id, wanted, password_hash)
            await self._join(tx, acting, invitation.organization_id, token, made)
            session = await self._services.auth.enter(tx, context, made, Entry(user_id, _AMR), refresh)
            enrolls = await self._services.mfa.must_enroll(tx, made.role, enrolled=False)
            return _Joined(await self._services.users.get_stored(tx, user_id) or made, session, enrolls)

        try:
            joined = await self._db.write(context.tenant_id, command, _Joined)
        except UniqueViolation as taken:
            conflict = await self._services.users.conflict_of(context.tenant_id, taken, invitation.email)
            raise (EmailAlreadyExists() if isinstance(conflict, _TAKEN) else conflict) from taken
        except EmailBanned as banned:
            raise EmailAlreadyExists from banned
        return await self._services.auth.signed_in(
            context.tenant_id, joined.user, joined.session, refresh, enrolls=joined.enrolls
        )

    async def purge_expired(self, tenant_id: str, now_ms: int) -> None:
        """Delete the invitations that have expired, some hundreds in each transaction."""

        async def get_first(reader: Reader) -> int | None:
            return await repository.get_next_expiry(reader, now_ms)

        if await self._db.read(tenant_id, get_first) is None:
            return

        async def delete_some(tx: Transaction) -> int:
            return await repository.delete_expired(tx, now_ms, _AT_A_TIME)

        while await self._db.write(tenant_id, delete_some, int, exempt=Exempt.HOUSEKEEPING) == _AT_A_TIME:
            pass

    async def get_next_purge(self, reader: Reader) -> int | None:
        """Return when the tenant's next invitation is to be deleted, or None."""
        return await repository.get_next_expiry(reader)

    async def _join(
        self, tx: Transaction, context: Context, organization_id: str, token: ActionToken, user: User
    ) -> BelongingBody:
        """Use an invitation up for a locked user."""
        try:
            organization = await self._services.organizations.require_locked(tx, organization_id)
        except OrganizationNotFound as gone:
            raise LinkInvalid from gone
        used = await repository.consume_invitation(tx, token.token_hash, self._clock.now_ms())
        if used is None:
            raise LinkInvalid
        if used.email_key != user.email_key or not user.email_verified:
            raise InvitationElsewhere
        member = await self._services.organizations.join(
            tx, context, organization_id, user, used.role, invitation_id=used.id
        )
        return BelongingBody(
            id=organization.id,
            name=organization.name,
            slug=organization.slug,
            role=member.role,
            joined_at=member.joined_at,
        )

    async def _require_good(self, token: ActionToken) -> Invitation:
        async def query(reader: Reader) -> Invitation | None:
            return await repository.get_by_token(reader, token.token_hash)

        invitation = await self._db.read(token.tenant_id, query)
        if invitation is None:
            raise LinkInvalid
        if invitation.expires_at <= self._clock.now_ms():
            raise LinkExpired
        return invitation

    async def _require_invitation(self, tx: Transaction, organization_id: str, invitation_id: str) -> Invitation:
        invitation = await repository.get_invitation(tx, organization_id, invitation_id)
        if invitation is None:
            raise InvitationNotFound
        return invitation

    def _say_address(self, context: Context, invitation: Invitation) -> None:
        """Have the answer that is kept for retries destroyed with whoever has the address by then."""
        say_subject(context, self._services.addresses.hash(context.tenant_id, invitation.email_key))

    def _require_ready(self, organization_id: str) -> None:
        self._services.emails.require_configured()
        if not is_id(organization_id, IdPrefix.ORGANIZATION):
            raise OrganizationNotFound

    async def _mail(
        self, tx: Transaction, organization: Organization, invitation: Invitation, token: ActionToken
    ) -> None:
        page = (await self._services.settings.get_settings(tx)).urls.organization_invitation_url
        if page is None:
            raise InvitationPageMissing
        values = self._services.links.values_of(_PURPOSE, page, token)
        values = {**values, "organization_name": organization.name}
        mail = Email(EmailTemplate.ORGANIZATION_INVITATION, invitation.email, None, values)
        await self._services.emails.queue(tx, mail)
        tx.mark_due(invitation.expires_at)
