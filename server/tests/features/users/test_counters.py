"""The counters over users on both stores: whatever commands run, they say what a recount says."""

import asyncio
import contextlib
import random
from typing import Any

import pytest

from hellojohn_server.features.bulk.schemas import BulkActBody, BulkDisableBody
from hellojohn_server.features.user_access.schemas import BanUserBody, ReasonBody
from hellojohn_server.features.users.errors import UserNotFound
from hellojohn_server.features.users.schemas import facets_of
from hellojohn_server.features.users.service import change_counters
from hellojohn_server.kit.day_counters import DAY_MS
from hellojohn_server.kit.errors import Conflict
from hellojohn_server.storage.database import Transaction
from hellojohn_server.storage.sql import Kind, Statement
from tests.conftest import START_MS
from tests.features.tenants.parts import key_context
from tests.features.users.parts import ADMIN, UserParts, change

TODAY = START_MS // DAY_MS
SPOIL = Statement("UPDATE user_counters SET users = users + 7 WHERE tenant_id = :tenant_id", kind=Kind.BOOKKEEPING)
LIST_ROWS = Statement("SELECT facet, users FROM user_counters WHERE tenant_id = :tenant_id")


class Commands:
    """Runs commands drawn by chance; those that are refused count as well, for they must change nothing."""

    def __init__(self, parts: UserParts, tenant_id: str, seed: int) -> None:
        self.parts = parts
        self.tenant_id = tenant_id
        self.chance = random.Random(seed)
        self.context = key_context(tenant_id, scopes=ADMIN)
        self.made: list[str] = []

    async def run(self) -> None:
        self.parts.clock.advance(self.chance.choice([0, 0.001, 60, 40_000]))
        acts = [self._create, self._change, self._change, self._bulk, self._access, self._fold, self._be_active]
        act = self.chance.choice(acts)
        with contextlib.suppress(Conflict, UserNotFound):
            await act()

    async def _create(self) -> None:
        user = await self.parts.make(
            self.tenant_id,
            f"u{self.chance.randrange(30)}@example.com",
            role=self.chance.choice(["member", "admin", "super_admin", "editor"]),
            email_verified=self.chance.random() < 0.5,
        )
        self.made.append(user.id)

    async def _change(self) -> None:
        if self.made:
            values: dict[str, Any] = {
                "email": f"u{self.chance.randrange(30)}@example.com",
                "role": self.chance.choice(["member", "admin", "super_admin", "editor"]),
                "email_verified": self.chance.random() < 0.5,
                "disabled": self.chance.random() < 0.5,
                "name": self.chance.choice(["A", "B", None]),
            }
            chosen = self.chance.sample(sorted(values), self.chance.randrange(len(values)))
            given = change(**{name: values[name] for name in chosen})
            await self.parts.users.update_user(self.context, self.chance.choice(self.made), given)

    async def _bulk(self) -> None:
        ids = self.chance.choices([*self.made, "usr_x"], k=6)
        bulk = self.parts.bulk
        if self.chance.random() < 0.3:
            await bulk.disable_users(self.context, BulkDisableBody(user_ids=ids))
        else:
            act = self.chance.choice([bulk.enable_users, bulk.delete_users, bulk.restore_users, bulk.unban_users])
            await act(self.context, BulkActBody(user_ids=ids))

    async def _access(self) -> None:
        if self.made:
            user_id, access = self.chance.choice(self.made), self.parts.access
            if self.chance.random() < 0.2:
                await access.erase_user(self.context, user_id)
            elif self.chance.random() < 0.5:
                await access.ban_user(self.context, user_id, BanUserBody(expires_in="1h"))
            else:
                act = self.chance.choice([access.delete_user, access.restore_user])
                await act(self.context, user_id, ReasonBody())

    async def _be_active(self) -> None:
        seen = {self.chance.choice([*self.made, "usr_x"]): self.parts.clock.now_ms() for _ in range(3)}
        await self.parts.users.record_active(self.tenant_id, seen)

    async def _fold(self) -> None:
        await self.parts.counters.fold_counters(self.tenant_id)


@pytest.mark.parametrize("seed", range(4))
async def test_counters_say_what_a_recount_says(
    parts: UserParts, tenant_id: str, other_tenant_id: str, seed: int
) -> None:
    await parts.add_role(tenant_id, "editor")
    commands = Commands(parts, tenant_id, seed)
    for _ in range(60):
        await commands.run()
        assert await parts.counted(tenant_id) == await parts.recounted(tenant_id)
        assert await parts.counted_days(tenant_id) == await parts.recounted_days(tenant_id)
    assert len(commands.made) > 5
    assert await parts.counted(other_tenant_id) == {}


async def test_counters_hold_while_commands_and_folds_run_at_once(parts: UserParts, tenant_id: str) -> None:
    await parts.add_role(tenant_id, "editor")
    commands = [Commands(parts, tenant_id, seed) for seed in range(8)]

    async def several(one: Commands) -> None:
        for _ in range(12):
            await one.run()

    async def rebuild() -> None:
        for _ in range(6):
            await parts.counters.rebuild_counters(tenant_id)
            await parts.counters.fold_counters(tenant_id)

    await asyncio.gather(*(several(one) for one in commands), rebuild())
    assert await parts.counted(tenant_id) == await parts.recounted(tenant_id)
    assert await parts.counted_days(tenant_id) == await parts.recounted_days(tenant_id)
    await parts.counters.fold_counters(tenant_id)
    assert await parts.counted(tenant_id) == await parts.recounted(tenant_id)


async def test_folding_leaves_nothing_to_add_up(parts: UserParts, tenant_id: str) -> None:
    await parts.make(tenant_id, email_verified=True)
    await parts.make(tenant_id, "b@example.com", role="admin")
    await parts.counters.fold_counters(tenant_id)
    rows = {facet: users for facet, users in await parts.rows(tenant_id, LIST_ROWS) if users}
    assert rows == {"total": 2, "role:member": 1, "role:admin": 1, "email_verified": 1, f"created:{TODAY}": 2}


async def test_rebuilding_sets_right_what_was_wrong(parts: UserParts, tenant_id: str, other_tenant_id: str) -> None:
    await parts.make(tenant_id, email_verified=True)
    await parts.make(other_tenant_id)
    gone = await parts.make(tenant_id, "b@example.com", role="admin")
    await parts.counters.fold_counters(tenant_id)
    await parts.put(tenant_id, gone.id, deleted_at=1, mfa_enrolled=True)

    async def spoil(tx: Transaction) -> None:
        await tx.execute(SPOIL)

    await parts.database.write(tenant_id, spoil, type(None))
    assert await parts.counted(tenant_id) != await parts.recounted(tenant_id)
    await parts.counters.rebuild_counters(tenant_id)
    assert await parts.counted(tenant_id) == {"total": 1, "role:member": 1, "email_verified": 1}
    assert await parts.counted(other_tenant_id) == {"total": 1, "role:member": 1}


async def test_a_user_counts_under_every_facet_that_holds(parts: UserParts, tenant_id: str) -> None:
    made = await parts.make(tenant_id, role="admin", email_verified=True, state_disabled=True, state_mfa_enrolled=True)
    user = await parts.stored(tenant_id, made.id)
    facts = {"total", "role:admin", "disabled", "mfa_enrolled", "email_verified", f"created:{TODAY}"}
    assert facets_of(user) == facts
    await parts.put(tenant_id, made.id, last_active_at=START_MS - DAY_MS)
    assert facets_of(await parts.stored(tenant_id, made.id)) == facts | {f"active:{TODAY - 1}"}
    await parts.put(tenant_id, made.id, deleted_at=1)
    assert facets_of(await parts.stored(tenant_id, made.id)) == frozenset()


async def test_no_change_writes_nothing(parts: UserParts, tenant_id: str) -> None:
    async def command(tx: Transaction) -> None:
        await change_counters(tx, {"total": 0})

    await parts.database.write(tenant_id, command, type(None))
    assert await parts.rows(tenant_id, LIST_ROWS) == []


async def test_a_check_names_what_is_wrong_and_nothing_while_commands_run(
    parts: UserParts, tenant_id: str, other_tenant_id: str
) -> None:
    await parts.add_role(tenant_id, "editor")
    commands = [Commands(parts, tenant_id, seed) for seed in range(6)]

    async def several(one: Commands) -> None:
        for _ in range(10):
            await one.run()

    async def check() -> None:
        for _ in range(12):
            assert await parts.counters.list_wrong_counters(tenant_id) == []
            await asyncio.sleep(0)

    await asyncio.gather(*(several(one) for one in commands), check())
    await parts.counters.fold_counters(tenant_id)
    right = dict(await parts.rows(tenant_id, LIST_ROWS))

    async def spoil(tx: Transaction) -> None:
        await tx.execute(SPOIL)

    await parts.database.write(tenant_id, spoil, type(None))
    wrong = await parts.counters.list_wrong_counters(tenant_id)
    checked = {facet: users for facet, users in right.items() if not facet.startswith("sign")}
    assert {one.facet: (one.kept, one.counted) for one in wrong} == {
        facet: (users + 7, users) for facet, users in checked.items()
    }
    assert await parts.counters.list_wrong_counters(other_tenant_id) == []
    await parts.counters.rebuild_counters(tenant_id)
    assert await parts.counters.list_wrong_counters(tenant_id) == []
