"""Links on both stores: good once, for one purpose and one address, and no longer than what they are for."""

import asyncio
from typing import Any, Final

import pytest

from hellojohn_server.features.action_tokens.errors import LinkExpired, LinkInvalid, LinkUsed
from hellojohn_server.features.action_tokens.schemas import (
    EVERY_PURPOSE,
    LIFETIME_SECONDS,
    PAGE_PATHS,
    ActionPurpose,
    Grant,
)
from hellojohn_server.features.action_tokens.service import (
    ActionTokenService,
    delete_every_link,
    delete_links,
    link_of,
    require_token,
)
from hellojohn_server.features.tenant_settings.schemas import UpdateConfigBody, UrlChange
from hellojohn_server.features.tenant_settings.service import TenantSettingsService
from hellojohn_server.features.user_access.schemas import ReasonBody, SetPasswordBody
from hellojohn_server.kit.action_tokens import ActionToken, make_action_token
from hellojohn_server.storage.database import Database, Exempt, Transaction
from hellojohn_server.storage.sql import Statement
from tests.conftest import OpenDatabase
from tests.features.recorder import Recorder
from tests.features.tenants.parts import key_context
from tests.features.users.parts import ADMIN, UserParts, change

ALICE: Final = "alice@example.com"
RESET: Final = ActionPurpose.PASSWORD_RESET
PAGES: Final = ("verify-email", "verify-email", "accept-invitation", "reset-password")
LIST: Final = Statement(
    "SELECT purpose, user_id, consumed_at FROM action_tokens WHERE tenant_id = :tenant_id ORDER BY user_id, purpose"
)
LIST_HASHES: Final = Statement("SELECT token_hash FROM action_tokens WHERE tenant_id = :tenant_id")


class Links:
    """Links of one tenant, given and used in transactions of their own."""

    def __init__(self, parts: UserParts, tenant_id: str, database: Database | None = None) -> None:
        self.database = database or parts.database
        self.service = ActionTokenService(
            self.database,
            parts.ids,
            parts.clock,
            settings=TenantSettingsService(self.database, parts.clock, parts.log),
            addresses=parts.addresses,
            public_url="https://id.example.com",
        )
        self.tenant_id = tenant_id
        self.parts = parts

    async def write(self, command: Any) -> Any:
        return await self.database.write(self.tenant_id, command, Any, exempt=Exempt.HOUSEKEEPING)

    async def give(self, user_id: str, purpose: ActionPurpose = RESET, address: str = ALICE) -> ActionToken:
        token = make_action_token(self.tenant_id)

        async def command(tx: Transaction) -> None:
            await self.service.give_tokens(tx, purpose, [Grant(token, user_id, address)])

        await self.write(command)
        return token

    async def use(self, token: ActionToken, purpose: ActionPurpose = RESET, address: str = ALICE) -> None:
        async def command(tx: Transaction) -> None:
            await self.service.use(tx, token, purpose, address)

        await self.write(command)

    async def refusal(self, token: ActionToken, purpose: ActionPurpose = RESET, address: str = ALICE) -> type | None:
        """Return why a link is not good, without using it up when it is; None when it is good."""

        async def query(reader: Any) -> None:
            await self.service.require_good(reader, token, purpose)

        try:
            await self.database.read(self.tenant_id, query)
        except (LinkExpired, LinkInvalid, LinkUsed) as refused:
            with pytest.raises(type(refused)):
                await self.use(token, purpose, address)
            return type(refused)
        return None

    async def held(self) -> list[tuple[str, str]]:
        return [(purpose, user_id) for purpose, user_id, _ in await self.parts.rows(self.tenant_id, LIST)]


@pytest.fixture
def links(parts: UserParts, tenant_id: str) -> Links:
    return Links(parts, tenant_id)


async def test_a_link_is_good_once(links: Links) -> None:
    token = await links.give("usr_a")
    other = await links.give("usr_b")
    assert await links.refusal(token) is None
    await links.use(token)
    assert await links.refusal(token) is LinkUsed
    assert await links.refusal(other) is None
    assert [row[2] for row in await links.parts.rows(links.tenant_id, LIST)] == [links.parts.clock.now_ms(), None]


async def test_only_a_hash_is_kept(links: Links) -> None:
    token = await links.give("usr_a")
    assert [bytes(found) for (found,) in await links.parts.rows(links.tenant_id, LIST_HASHES)] == [token.token_hash]
    assert token.text.encode() not in token.token_hash


@pytest.mark.parametrize("purpose", EVERY_PURPOSE)
async def test_a_link_ends(links: Links, purpose: ActionPurpose) -> None:
    token = await links.give("usr_a", purpose)
    links.parts.clock.advance(LIFETIME_SECONDS[purpose] - 0.001)
    assert await links.refusal(token, purpose) is None
    links.parts.clock.advance(0.001)
    assert await links.refusal(token, purpose) is LinkExpired


async def test_a_link_is_for_one_purpose_and_one_address(links: Links) -> None:
    token = await links.give("usr_a")
    assert await links.refusal(token, ActionPurpose.MAGIC_LINK) is LinkInvalid
    with pytest.raises(LinkInvalid):
        await links.use(token, address="bob@example.com")
    await links.use(token)


async def test_a_newer_link_takes_the_place_of_the_older_one_of_its_purpose(links: Links) -> None:
    first = await links.give("usr_a")
    magic = await links.give("usr_a", ActionPurpose.MAGIC_LINK)
    other = await links.give("usr_b")
    second = await links.give("usr_a")
    assert await links.refusal(first) is LinkInvalid
    assert [await links.refusal(token) for token in (second, other)] == [None, None]
    assert await links.refusal(magic, ActionPurpose.MAGIC_LINK) is None


async def test_another_tenant_sees_nothing(links: Links, parts: UserParts, other_tenant_id: str) -> None:
    token = await links.give("usr_a")
    other = Links(parts, other_tenant_id)
    assert await other.refusal(token) is LinkInvalid
    with pytest.raises(LinkInvalid):
        require_token(other_tenant_id, token.text)
    with pytest.raises(LinkInvalid):
        require_token(links.tenant_id, "act_x")
    assert require_token(links.tenant_id, token.text) == token
    assert await other.held() == []
    assert await links.refusal(token) is None


async def test_of_16_at_once_one_uses_a_link(
    open_database: OpenDatabase, links: Links, parts: UserParts, tenant_id: str
) -> None:
    second = await open_database()
    doors = (links, Links(parts, tenant_id, second))
    for _ in range(4):
        token = await links.give("usr_a")
        outcomes = await asyncio.gather(*(doors[n % 2].use(token) for n in range(16)), return_exceptions=True)
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["LinkUsed"] * 15 + ["NoneType"]
    await second.close()


async def test_links_given_at_once_leave_one_that_is_good(links: Links, parts: UserParts, tenant_id: str) -> None:
    made = await parts.make(tenant_id)

    async def give() -> ActionToken:
        token = make_action_token(tenant_id)

        async def command(tx: Transaction) -> None:
            await parts.users.lock_users(tx, [made.id])
            await links.service.give_tokens(tx, RESET, [Grant(token, made.id, ALICE)])

        await links.write(command)
        return token

    tokens = await asyncio.gather(*(give() for _ in range(16)))
    assert sorted([str(await links.refusal(token)) for token in tokens])[:1] == [str(LinkInvalid)]
    assert [await links.refusal(token) for token in tokens].count(None) == 1
    assert await links.held() == [("password_reset", made.id)]


async def test_links_are_taken_away(links: Links) -> None:
    for purpose in EVERY_PURPOSE:
        await links.give("usr_a", purpose)
        await links.give("usr_b", purpose)

    async def command(tx: Transaction) -> None:
        await delete_links(tx, [])
        await delete_links(tx, ["usr_a"])

    await links.write(command)
    every = [(purpose.value, "usr_b") for purpose in EVERY_PURPOSE]
    assert await links.held() == [("email_verification", "usr_a"), *every]

    async def delete_rest(tx: Transaction) -> None:
        await delete_every_link(tx, ["usr_a"])

    await links.write(delete_rest)
    assert await links.held() == every


async def test_what_was_used_is_told_from_what_never_was(links: Links) -> None:
    used = await links.give("usr_a")
    await links.use(used)
    await links.give("usr_a")

    async def delete(tx: Transaction) -> None:
        await delete_links(tx, ["usr_a"])

    await links.write(delete)
    assert await links.refusal(used) is LinkUsed
    assert len(await links.held()) == 1

    async def delete_rest(tx: Transaction) -> None:
        await delete_every_link(tx, ["usr_a"])

    await links.write(delete_rest)
    assert await links.refusal(used) is LinkInvalid


async def test_links_die_with_the_password(links: Links, parts: UserParts, tenant_id: str) -> None:
    made = await parts.make(tenant_id)
    for purpose in EVERY_PURPOSE:
        await links.give(made.id, purpose)
    context = key_context(tenant_id, scopes=ADMIN)
    await parts.access.set_password(context, made.id, SetPasswordBody(password="another long one"))
    assert await links.held() == [("email_verification", made.id)]


async def test_links_die_with_the_address(links: Links, parts: UserParts, tenant_id: str) -> None:
    made = await parts.make(tenant_id)
    for purpose in EVERY_PURPOSE:
        await links.give(made.id, purpose)
    context = key_context(tenant_id, scopes=ADMIN)
    await parts.users.update_user(context, made.id, change(name="Alice", email=ALICE.upper()))
    assert len(await links.held()) == len(EVERY_PURPOSE)
    await parts.users.update_user(context, made.id, change(email="bob@example.com"))
    assert await links.held() == []


async def test_nothing_is_left_of_who_was_erased(links: Links, parts: UserParts, tenant_id: str) -> None:
    made, other = await parts.make(tenant_id), await parts.make(tenant_id, "bob@example.com")
    for user in (made, other):
        await links.give(user.id, RESET, user.email)
    await parts.access.delete_user(key_context(tenant_id), made.id, ReasonBody())
    assert len(await links.held()) == 2
    await parts.access.erase_user(key_context(tenant_id), made.id)
    assert await links.held() == [("password_reset", other.id)]


async def test_what_is_over_is_deleted(links: Links, parts: UserParts, tenant_id: str, other_tenant_id: str) -> None:
    start = parts.clock.now_ms()
    ends = [start + LIFETIME_SECONDS[purpose] * 1000 for purpose in (ActionPurpose.MAGIC_LINK, RESET)]
    other = Links(parts, other_tenant_id)
    await other.give("usr_a", ActionPurpose.MAGIC_LINK)
    used = await links.give("usr_a", ActionPurpose.MAGIC_LINK)
    await links.use(used, ActionPurpose.MAGIC_LINK)
    await links.give("usr_a")
    assert await parts.database.read(tenant_id, links.service.get_next_purge) == ends[0]
    await links.service.purge_expired(tenant_id, ends[0] - 1)
    assert len(await links.held()) == 2
    await links.service.purge_expired(tenant_id, ends[0])
    assert await links.held() == [("password_reset", "usr_a")]
    assert await parts.database.read(tenant_id, links.service.get_next_purge) == ends[1]
    await links.service.purge_expired(tenant_id, ends[1])
    assert await links.held() == []
    assert await parts.database.read(tenant_id, links.service.get_next_purge) is None
    assert len(await other.held()) == 1


async def test_the_worker_is_told_when_links_end(links: Links, parts: UserParts, tenant_id: str) -> None:
    due: list[int] = []
    ran: list[int] = []

    async def command(tx: Transaction) -> None:
        recorder = Recorder(tx)
        tokens = [Grant(make_action_token(tenant_id), f"usr_{n}", ALICE) for n in range(20)]
        await links.service.give_tokens(recorder, RESET, tokens)
        await links.service.give_tokens(recorder, RESET, [])
        due.extend(recorder.due)
        ran.append(len(recorder.ran))

    await links.write(command)
    assert due == [parts.clock.now_ms() + 3_600_000]
    assert ran == [2]


async def test_links_open_the_built_in_page_or_the_applications_own(
    links: Links, parts: UserParts, tenant_id: str, other_tenant_id: str
) -> None:
    settings = TenantSettingsService(parts.database, parts.clock, parts.log)
    own = {name: f"https://app.example.com/{name}?lang=en" for name in UrlChange.__struct_fields__}
    await settings.update_config(key_context(tenant_id, scopes=ADMIN), UpdateConfigBody(urls=UrlChange(**own)))
    pages = [await links.service.get_page(tenant_id, purpose) for purpose in EVERY_PURPOSE]
    named = ("verification_url", "verification_url", "invitation_url", "magic_link_url", "reset_url")
    assert pages == [own[name] for name in named]
    built_in = [await links.service.get_page(other_tenant_id, purpose) for purpose in PAGE_PATHS]
    assert built_in == [f"https://id.example.com/account/{name}" for name in PAGES]
    with pytest.raises(KeyError):
        await links.service.get_page(other_tenant_id, ActionPurpose.MAGIC_LINK)
    token = make_action_token(tenant_id)
    assert link_of(pages[0], token) == f"{pages[0]}&token={token.text}"
    assert links.service.values_of(RESET, built_in[-1], token) == {
        "link": f"https://id.example.com/account/reset-password?token={token.text}",
        "expires_in": "1 hour",
    }
