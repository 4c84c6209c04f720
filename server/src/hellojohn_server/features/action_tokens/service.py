"""The secrets of links: given in the transaction that queues the mail, and used once in that of what they are for.

Whoever uses one locks the user's row first: then every change of password or address is before it, and has deleted the
secret, or after it.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from hellojohn_server.features.action_tokens import repository
from hellojohn_server.features.action_tokens.errors import LinkExpired, LinkInvalid, LinkUsed
from hellojohn_server.features.action_tokens.schemas import (
    ENDING_WITH_PASSWORD,
    LIFETIME_SECONDS,
    LIFETIME_WORDS,
    PAGE_PATHS,
    ActionPurpose,
    ActionTokenRow,
    Grant,
    Link,
)
from hellojohn_server.features.emails.schemas import Email
from hellojohn_server.features.emails.service import EmailService
from hellojohn_server.features.tenant_settings.service import TenantSettingsService
from hellojohn_server.kit.action_tokens import ActionToken, make_action_token, parse_action_token
from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.email_templates import EmailTemplate, NewPasswordBy
from hellojohn_server.kit.ids import IdFactory, IdPrefix
from hellojohn_server.kit.secrets import AddressHasher
from hellojohn_server.kit.text import email_key
from hellojohn_server.storage.database import Database, Exempt, Parameter, Reader, Transaction

_AT_A_TIME: Final = 500
_TEMPLATES: Final = {
    ActionPurpose.EMAIL_CHANGE: EmailTemplate.EMAIL_VERIFICATION,
    ActionPurpose.EMAIL_VERIFICATION: EmailTemplate.EMAIL_VERIFICATION,
    ActionPurpose.INVITATION: EmailTemplate.INVITATION,
    ActionPurpose.MAGIC_LINK: EmailTemplate.MAGIC_LINK,
    ActionPurpose.PASSWORD_RESET: EmailTemplate.PASSWORD_RESET,
}


async def delete_links(
    tx: Transaction, user_ids: Sequence[str], purposes: Sequence[ActionPurpose] = ENDING_WITH_PASSWORD
) -> None:
    """Have links of users be good no more: unless others are named, those that die with the password."""
    if user_ids:
        await repository.delete_unused(tx, user_ids, purposes)


async def delete_every_link(tx: Transaction, user_ids: Sequence[str]) -> None:
    """Have no link of the users be good any more, whatever it is for, and keep nothing of any."""
    if user_ids:
        await repository.delete_tokens(tx, user_ids)


def parse_link(text: str) -> ActionToken:
    """Return the secret that `text` is, whichever tenant it names; LinkInvalid when it is none."""
    token = parse_action_token(text)
    if token is None:
        raise LinkInvalid
    return token


def require_token(tenant_id: str, text: str) -> ActionToken:
    """Return the secret that `text` is; LinkInvalid when it is none, or one of another tenant."""
    token = parse_link(text)
    if token.tenant_id != tenant_id:
        raise LinkInvalid
    return token


def link_of(page: str, token: ActionToken) -> str:
    """Return the link that opens a page with a secret."""
    return f"{page}{'&' if '?' in page else '?'}token={token.text}"


class ActionTokenService:
    """Knows users by id. The caller records the act: what becomes of links is part of it."""

    def __init__(  # noqa: PLR0913 - what it takes, each by name
        self,
        db: Database,
        ids: IdFactory,
        clock: Clock,
        *,
        settings: TenantSettingsService,
        addresses: AddressHasher,
        public_url: str,
    ) -> None:
        self._db = db
        self._ids = ids
        self._clock = clock
        self._settings = settings
        self._addresses = addresses
        self._public_url = public_url

    async def get_page(self, tenant_id: str, purpose: ActionPurpose) -> str:
        """Return the URL of the page that links for a purpose open: the application's own, or the built-in one.

        KeyError for a purpose that has neither: the caller asks the settings first.
        """
        urls = (await self._db.read(tenant_id, self._settings.get_settings)).urls
        own = {
            ActionPurpose.EMAIL_CHANGE: urls.verification_url,
            ActionPurpose.EMAIL_VERIFICATION: urls.verification_url,
            ActionPurpose.INVITATION: urls.invitation_url,
            ActionPurpose.MAGIC_LINK: urls.magic_link_url,
            ActionPurpose.PASSWORD_RESET: urls.reset_url,
        }[purpose]
        return f"{self._public_url}{PAGE_PATHS[purpose]}" if own is None else own

    def values_of(self, purpose: ActionPurpose, page: str, token: ActionToken) -> dict[str, str]:
        """Return what a mail says of a link: itself, and how long it is good."""
        return {"link": link_of(page, token), "expires_in": LIFETIME_WORDS[purpose]}

    async def give_tokens(self, tx: Transaction, purpose: ActionPurpose, grants: Sequence[Grant]) -> None:
        """Store new secrets, in two statements; those that their users had for the purpose are good no more.

        The caller holds the users' rows, so that of several at once the last one's is good.
        """
        if not grants:
            return
        now = self._clock.now_ms()
        expires_at = now + LIFETIME_SECONDS[purpose] * 1000
        await repository.delete_unused(tx, [grant.user_id for grant in grants], [purpose])
        rows = [
            ActionTokenRow(
                id=self._ids.new(IdPrefix.LINK),
                purpose=purpose.value,
                user_id=grant.user_id,
                address_hash=self._addresses.hash(tx.tenant_id, grant.address_key),
                created_at=now,
                expires_at=expires_at,
                sealed_email=grant.sealed_email,
            )
            for grant in grants
        ]
        await repository.insert_tokens(
            tx,
            [{**_stored(row), "token_hash": grant.token.token_hash} for row, grant in zip(rows, grants, strict=True)],
        )
        tx.mark_due(expires_at)

    async def get_purpose(self, reader: Reader, token: ActionToken) -> str | None:
        """Return what a secret is for, whether or not it is good; None when there is none."""
        row = await repository.get_token(reader, token.token_hash)
        return None if row is None else row.purpose

    async def require_good(self, reader: Reader, token: ActionToken, purpose: ActionPurpose) -> ActionTokenRow:
        """Return the row of a secret that is good now; LinkInvalid, LinkUsed, LinkExpired. Nothing is used up."""
        row = await repository.get_token(reader, token.token_hash)
        if row is None or row.purpose != purpose:
            raise LinkInvalid
        if row.consumed_at is not None:
            raise LinkUsed
        if row.expires_at <= self._clock.now_ms():
            raise LinkExpired
        return row

    async def use(self, tx: Transaction, token: ActionToken, purpose: ActionPurpose, address_key: str) -> None:
        """Use a secret up, with the address that its user has now. Of any number at once with one, one does.

        For the others it is LinkUsed. LinkInvalid when it was given with another address; LinkExpired.
        """
        address_hash = self._addresses.hash(tx.tenant_id, address_key)
        used = await repository.consume_token(tx, token.token_hash, purpose.value, address_hash, self._clock.now_ms())
        if used is None:
            await self.require_good(tx, token, purpose)
            raise LinkInvalid

    async def purge_expired(self, tenant_id: str, now_ms: int) -> None:
        """Delete the secrets that are over, some hundreds in each transaction."""

        async def get_first(reader: Reader) -> int | None:
            return await repository.get_next_expiry(reader, now_ms)

        if await self._db.read(tenant_id, get_first) is None:
            return

        async def delete_some(tx: Transaction) -> int:
            return await repository.delete_expired(tx, now_ms, _AT_A_TIME)

        while await self._db.write(tenant_id, delete_some, int, exempt=Exempt.HOUSEKEEPING) == _AT_A_TIME:
            pass

    async def get_next_purge(self, reader: Reader) -> int | None:
        """Return when the tenant's next secret is to be deleted, or None."""
        return await repository.get_next_expiry(reader)


class LinkMailer:
    """Mails links, each in the transaction that stores its secret, and notices about addresses and passwords."""

    def __init__(self, emails: EmailService, action_tokens: ActionTokenService) -> None:
        self._emails = emails
        self._action_tokens = action_tokens

    @property
    def is_configured(self) -> bool:
        """Whether mail can be sent at all."""
        return self._emails.is_configured

    def require_configured(self) -> None:
        """Raise MailNotConfigured if mail cannot be sent. For before anything is written."""
        self._emails.require_configured()

    async def prepare(self, tenant_id: str, purpose: ActionPurpose) -> Link:
        """Return a new link, for before the transaction that mails it. MailNotConfigured."""
        self._emails.require_configured()
        page = await self._action_tokens.get_page(tenant_id, purpose)
        token = make_action_token(tenant_id)
        return Link(purpose, token, self._action_tokens.values_of(purpose, page, token))

    async def prepare_if_configured(self, tenant_id: str, purpose: ActionPurpose) -> Link | None:
        """Return a new link, or None where no mail can be sent."""
        return await self.prepare(tenant_id, purpose) if self.is_configured else None

    async def mail(self, tx: Transaction, link: Link, user_id: str, address: str) -> None:
        """Store the secret of a link and queue its mail; older links of the user for the purpose are good no more."""
        await self._action_tokens.give_tokens(tx, link.purpose, [Grant(link.token, user_id, email_key(address))])
        await self._emails.queue(tx, Email(_TEMPLATES[link.purpose], address, user_id, link.values))

    async def mail_change(
        self, tx: Transaction, change: tuple[Link, bytes], user: tuple[str, str], address: str
    ) -> None:
        """Mail a link to an address that it makes a user's: `change` is the link with that address sealed.

        `user`: id, and the compared form of the address that the user has; with another the link is good no more.
        """
        link, sealed = change
        await self._action_tokens.give_tokens(tx, link.purpose, [Grant(link.token, *user, sealed)])
        await self._emails.queue(tx, Email(_TEMPLATES[link.purpose], address, user[0], link.values))

    async def tell_owner(self, tx: Transaction, user_id: str, address: str) -> None:
        """Tell a user that somebody wanted the user's address, if mail can be sent."""
        if self._emails.is_configured:
            await self._emails.queue(tx, Email(EmailTemplate.EMAIL_ALREADY_REGISTERED, address, user_id))

    async def tell_old_address(self, tx: Transaction, user_id: str, address: str) -> None:
        """Tell the address that a user had that it is the user's no more, if mail can be sent."""
        if self._emails.is_configured:
            await self._emails.queue(tx, Email(EmailTemplate.EMAIL_CHANGED, address, user_id))

    async def tell_new_password(self, tx: Transaction, user_id: str, address: str, by: NewPasswordBy) -> None:
        """Tell a user that there is a new password, if mail can be sent."""
        if self._emails.is_configured:
            values = {"set_by": by.value}
            await self._emails.queue(tx, Email(EmailTemplate.PASSWORD_CHANGED, address, user_id, values))


def _stored(row: ActionTokenRow) -> dict[str, Parameter]:
    return {name: value for name, value in msgspec.structs.asdict(row).items() if name != "consumed_at"}
