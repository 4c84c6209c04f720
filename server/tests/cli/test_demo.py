"""The demo tenant: invented, varied, the same for the same seed, and inserted so that everything about it is right."""

import re
import unicodedata
from collections import Counter

from hellojohn_server.cli.demo import insert_demo, make_demo
from hellojohn_server.cli.demo_people import PEOPLE
from hellojohn_server.features.users.schemas import UserStatus, status_of
from hellojohn_server.kit.emails import is_email
from hellojohn_server.kit.ids import IdFactory, IdPrefix, is_id
from hellojohn_server.kit.text import fold
from hellojohn_server.storage.database import Database, Transaction
from tests.conftest import START_MS, ManualClock
from tests.support import RunningApp, running_app

SCRIPTS = ("LATIN", "CYRILLIC", "GREEK", "ARABIC", "HEBREW", "CJK", "HIRAGANA", "HANGUL", "DEVANAGARI", "THAI")
DAY_MS = 86_400_000


def test_the_same_seed_gives_the_same_people() -> None:
    assert make_demo(START_MS) == make_demo(START_MS)
    assert make_demo(START_MS, seed=2) != make_demo(START_MS)


def test_two_hundred_people_in_many_scripts_and_states() -> None:
    demo = make_demo(START_MS)
    assert len(demo.users) == len(PEOPLE) == 200
    names = {
        unicodedata.name(letter).split()[0] for user in demo.users for letter in user.name or "" if letter.isalpha()
    }
    assert set(SCRIPTS) <= names
    assert Counter(status_of(user, START_MS) for user in demo.users) == {
        UserStatus.ACTIVE: 154,
        UserStatus.PENDING: 15,
        UserStatus.DISABLED: 13,
        UserStatus.DELETED: 7,
        UserStatus.BANNED: 6,
        UserStatus.LOCKED: 5,
    }
    supers = [user for user in demo.users if user.role == "super_admin"]
    assert len(supers) == 2
    assert {status_of(user, START_MS) for user in supers} == {UserStatus.ACTIVE}


def test_nobody_real_can_be_reached() -> None:
    for user in make_demo(START_MS).users:
        assert is_email(user.email)
        assert re.search(r"@example\.(com|org|net)$|\.example$", user.email), user.email
        assert user.phone is None or re.fullmatch(r"\+1\d{3}55501\d\d", user.phone), user.phone
        assert user.avatar_url is None


def test_every_row_is_of_its_time_and_belongs_to_somebody() -> None:
    demo = make_demo(START_MS)
    users = {user.id: user for user in demo.users}
    assert len(users) == len({user.email_key for user in demo.users}) == 200
    for user in demo.users:
        assert is_id(user.id, IdPrefix.USER)
        assert START_MS - 3 * 366 * DAY_MS < user.created_at < START_MS
        assert user.name_key == fold(user.name or "")
        assert user.created_at <= (user.last_sign_in_at or START_MS) <= START_MS
    for factor in demo.factors:
        assert users[factor.user_id].mfa_enrolled
    for session in demo.sessions:
        owner = users[session.user_id]
        assert status_of(owner, START_MS) in {UserStatus.ACTIVE, UserStatus.LOCKED}
        assert owner.created_at <= session.created_at <= START_MS < session.expires_at
    organizations = {organization.id for organization in demo.organizations}
    assert {membership.organization_id for membership in demo.memberships} < organizations
    assert all(users[membership.user_id].deleted_at is None for membership in demo.memberships)


async def test_counters_search_and_the_audit_log_know_everyone(
    database: Database, clock: ManualClock, ids: IdFactory
) -> None:
    demo = make_demo(clock.now_ms())
    async with running_app(database, clock, ids) as app:
        tenant_id = await app.make_tenant()

        async def insert(tx: Transaction) -> None:
            await insert_demo(tx, demo, app.services.audit_log, app.services.mfa, app.context(tenant_id))

        await database.write(tenant_id, insert, type(None))
        key = await app.make_key(tenant_id)
        alive = [user for user in demo.users if user.deleted_at is None]
        assert await total(app, key, "") == len(alive) == 193
        for facet in ("disabled", "mfa_enrolled", "email_verified"):
            assert await total(app, key, f"?{facet}=true") == sum(getattr(user, facet) for user in alive)
        assert await total(app, key, "?role=support_agent") == sum(user.role == "support_agent" for user in alive)
        for user in demo.users[::10]:
            found = await app.call(key, "POST", "/v1/admin/users/search", {"query": user.name})
            ids_found = [row["id"] for row in found.json()["data"]]
            assert (user.id in ids_found) == (user.deleted_at is None), user.name
        entries = await app.call(key, "GET", "/v1/audit-logs?type=user.created")
        assert entries.json()["pagination"]["total"] == 200


async def total(app: RunningApp, key: str, query: str) -> int:
    answer = await app.call(key, "GET", f"/v1/users{query}")
    pagination = answer.json()["pagination"]
    assert pagination["total_is_exact"]
    return int(pagination["total"])
