"""Lists and searches as the service answers them: pages that fit together, totals, cursors, and nobody else's users."""

import itertools
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from hellojohn_server.features.search.schemas import (
    Direction,
    ListUsersQuery,
    SearchFilters,
    SearchSort,
    SearchUsersRequest,
    SortField,
)
from hellojohn_server.features.search.service import UserSearch
from hellojohn_server.features.users.schemas import User, UserBody, UserStatus
from hellojohn_server.kit.errors import Invalid
from hellojohn_server.kit.pagination import COUNT_CAP, CursorCodec, InvalidCursor, Page
from hellojohn_server.storage.database import Database
from tests.conftest import START_MS, ManualClock
from tests.features.search.people import erase_person, insert_people, people, person

SECRET = b"s" * 32


@pytest.fixture
def search(database: Database, clock: ManualClock) -> UserSearch:
    return UserSearch(database, clock, CursorCodec(SECRET))


async def list_users(search: UserSearch, tenant_id: str, **query: Any) -> Page[UserBody]:
    return await search.list_users(tenant_id, ListUsersQuery(**query))


async def find(search: UserSearch, tenant_id: str, query: str, **rest: Any) -> list[str]:
    page = await search.search_users(tenant_id, SearchUsersRequest(query=query, limit=100, **rest))
    return [user.email for user in page.rows]


def at(ms: int, microseconds: int = 0) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms, microseconds=microseconds)


async def test_an_empty_tenant(search: UserSearch, tenant_id: str) -> None:
    page = await list_users(search, tenant_id)
    assert page.rows == []
    assert msgspec.structs.asdict(page.pagination) == {
        "total": 0, "total_is_exact": True, "limit": 20, "has_more": False, "next_cursor": None
    }  # fmt: skip


async def test_the_newest_come_first_and_a_page_says_how_to_go_on(
    search: UserSearch, database: Database, tenant_id: str
) -> None:
    users = [person(number) for number in range(25)]
    await insert_people(database, tenant_id, users)
    first = await list_users(search, tenant_id)
    assert [user.id for user in first.rows] == [user.id for user in reversed(users)][:20]
    assert (first.pagination.total, first.pagination.total_is_exact, first.pagination.has_more) == (25, True, True)
    rest = await list_users(search, tenant_id, cursor=first.pagination.next_cursor)
    assert [user.id for user in rest.rows] == [user.id for user in reversed(users)][20:]
    assert (rest.pagination.total, rest.pagination.has_more, rest.pagination.next_cursor) == (25, False, None)


async def test_another_tenant_sees_nothing(
    search: UserSearch, database: Database, tenant_id: str, other_tenant_id: str
) -> None:
    users = people(30)
    await insert_people(database, tenant_id, users, {"org_a": [user.id for user in users]})
    for field in SortField:
        page = await list_users(search, other_tenant_id, order_by=field)
        assert (page.rows, page.pagination.total) == ([], 0)
    known = users[0]
    for query in ({"email": known.email}, {"organization_id": "org_a"}, {"disabled": False}, {"status": "active"}):
        page = await search.list_users(other_tenant_id, msgspec.convert(query, ListUsersQuery))
        assert (page.rows, page.pagination.total) == ([], 0)
    for words in ("", known.email, known.email[:2], "example.com"):
        assert await find(search, other_tenant_id, words) == []


async def test_a_cursor_is_of_its_tenant_operation_filters_and_sort_only(
    search: UserSearch, database: Database, tenant_id: str, other_tenant_id: str
) -> None:
    for each in (tenant_id, other_tenant_id):
        await insert_people(database, each, [person(number) for number in range(5)])
    cursor = (await list_users(search, tenant_id, limit=2, disabled=False)).pagination.next_cursor
    assert cursor is not None
    assert len((await list_users(search, tenant_id, limit=3, disabled=False, cursor=cursor)).rows) == 3

    bad: list[tuple[str, dict[str, Any]]] = [
        (other_tenant_id, {"disabled": False}),
        (tenant_id, {}),
        (tenant_id, {"disabled": True}),
        (tenant_id, {"disabled": False, "role": "member"}),
        (tenant_id, {"disabled": False, "order_by": SortField.EMAIL}),
        (tenant_id, {"disabled": False, "direction": Direction.ASCENDING}),
    ]
    for tenant, query in bad:
        with pytest.raises(InvalidCursor):
            await list_users(search, tenant, cursor=cursor, **query)
    with pytest.raises(InvalidCursor):
        await search.search_users(
            tenant_id, SearchUsersRequest(filters=SearchFilters(disabled=False), cursor=cursor, limit=2)
        )
    for broken in (
        cursor[:-2],
        cursor[:10] + ("A" if cursor[10] != "A" else "B") + cursor[11:],
        "x",
        "=",
        "é",
        cursor * 2,
    ):
        with pytest.raises(InvalidCursor):
            await list_users(search, tenant_id, disabled=False, cursor=broken)


async def test_a_search_cursor_is_of_its_words(search: UserSearch, database: Database, tenant_id: str) -> None:
    await insert_people(database, tenant_id, [person(number) for number in range(5)])
    first = await search.search_users(tenant_id, SearchUsersRequest(query="person", limit=2))
    cursor = first.pagination.next_cursor
    again = SearchUsersRequest(query="  PERSON ", limit=4, cursor=cursor)
    assert len((await search.search_users(tenant_id, again)).rows) == 3
    for request in (
        SearchUsersRequest(query="perso", cursor=cursor),
        SearchUsersRequest(query="person", cursor=cursor, sort=SearchSort(field=SortField.NAME)),
        SearchUsersRequest(query="person", cursor=cursor, filters=SearchFilters(last_active_after=at(0))),
    ):
        with pytest.raises(InvalidCursor):
            await search.search_users(tenant_id, request)


async def every_page(search: UserSearch, tenant_id: str, between: Any, **query: Any) -> list[str]:
    """Return the ids on all pages of two, `between` being called before each next page."""
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(200):
        page = await list_users(search, tenant_id, limit=2, cursor=cursor, **query)
        seen += [user.id for user in page.rows]
        cursor = page.pagination.next_cursor
        if cursor is None:
            return seen
        await between()
    raise AssertionError("the pages do not end")


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("field", SortField)
async def test_a_row_that_stays_is_neither_repeated_nor_skipped(
    search: UserSearch, database: Database, tenant_id: str, field: SortField, direction: Direction
) -> None:
    """Users come and go between pages, with ties and without values, before and after the place reached."""
    chance = random.Random(f"{field} {direction}")
    names = ["Ana", "ana", "Bob", None, None, "Ｂob", "zoe"]
    moments = [START_MS, START_MS - 1, None, None, START_MS - 2]

    def somebody(number: int) -> User:
        return person(
            number,
            email=f"{chance.randrange(10**6):06}.{number}@example.com",
            name=chance.choice(names),
            last_sign_in_at=chance.choice(moments),
            created_at=START_MS - chance.randrange(6),
        )

    stay = [somebody(number) for number in range(30)]
    going = [somebody(number) for number in range(100, 120)]
    await insert_people(
        database, tenant_id, [user for pair in zip(stay, [*going, *[None] * 10], strict=True) for user in pair if user]
    )
    coming = iter(range(200, 400))

    async def come_and_go() -> None:
        if going:
            await erase_person(database, tenant_id, going.pop(chance.randrange(len(going))).id)
        number = next(coming)
        if number < 225:
            await insert_people(database, tenant_id, [somebody(number)])

    seen = await every_page(search, tenant_id, come_and_go, order_by=field, direction=direction)
    assert len(seen) == len(set(seen))
    assert {user.id for user in stay} <= set(seen)


async def test_users_created_at_one_time_are_each_seen_once(
    search: UserSearch, database: Database, tenant_id: str
) -> None:
    users = [person(number, created_at=START_MS) for number in range(11)]
    await insert_people(database, tenant_id, users)

    async def nothing() -> None:
        return None

    for direction in Direction:
        seen = await every_page(search, tenant_id, nothing, direction=direction)
        assert sorted(seen) == sorted(user.id for user in users)


async def test_dates_hold_strictly_also_where_many_were_created_at_once(
    search: UserSearch, database: Database, tenant_id: str
) -> None:
    """On SQLite the later of these have taken numbers that lie beyond the dates asked for."""
    users = [person(number, created_at=START_MS + number // 10) for number in range(40)]
    await insert_people(database, tenant_id, users)
    for after, before in [(-1, 4), (0, 2), (0, 1), (1, 3), (2, None), (None, 1), (None, 2), (None, 3), (3, None)]:
        query: dict[str, Any] = {}
        if after is not None:
            query["created_after"] = at(START_MS + after)
        if before is not None:
            query["created_before"] = at(START_MS + before)
        expected = {
            user.id
            for user in users
            if (after is None or user.created_at > START_MS + after)
            and (before is None or user.created_at < START_MS + before)
        }
        for direction in Direction:

            async def nothing() -> None:
                return None

            seen = await every_page(search, tenant_id, nothing, direction=direction, **query)
            assert (len(seen), set(seen)) == (len(expected), expected)
            assert (await list_users(search, tenant_id, **query)).pagination.total == len(expected)


async def test_dates_are_compared_to_the_microsecond(search: UserSearch, database: Database, tenant_id: str) -> None:
    await insert_people(database, tenant_id, [person(1, created_at=START_MS)])

    async def count(**query: Any) -> int:
        return (await list_users(search, tenant_id, **query)).pagination.total

    assert await count(created_after=at(START_MS)) == 0
    assert await count(created_after=at(START_MS, -1)) == 1
    assert await count(created_after=at(START_MS, 1)) == 0
    assert await count(created_before=at(START_MS)) == 0
    assert await count(created_before=at(START_MS, -1)) == 0
    assert await count(created_before=at(START_MS, 1)) == 1
    extremes = {"created_after": datetime.min.replace(tzinfo=UTC), "created_before": datetime.max.replace(tzinfo=UTC)}
    assert await count(**extremes) == 1


async def test_totals_come_from_counters_where_there_is_one(
    search: UserSearch, database: Database, tenant_id: str
) -> None:
    """The counters are left as they are when a row is erased here: so it shows which totals are theirs."""
    users = [person(number, disabled=number < 4, mfa_enrolled=number < 3, role="admin") for number in range(10)]
    await insert_people(database, tenant_id, users)
    await erase_person(database, tenant_id, users[0].id)

    async def total(**query: Any) -> int:
        return (await list_users(search, tenant_id, **query)).pagination.total

    assert await total() == 10
    assert await total(order_by=SortField.NAME) == 10
    assert (await total(disabled=True), await total(disabled=False)) == (4, 6)
    assert (await total(mfa_enrolled=True), await total(mfa_enrolled=False)) == (3, 7)
    assert (await total(email_verified=True), await total(email_verified=False)) == (0, 10)
    assert (await total(role="admin"), await total(role="member")) == (10, 0)
    assert await total(status=UserStatus.DISABLED) == 3
    assert await total(disabled=True, mfa_enrolled=True) == 2
    assert await total(created_after=at(0)) == 9


async def test_the_bin_is_seen_by_its_status_only(search: UserSearch, database: Database, tenant_id: str) -> None:
    users = [person(1), person(2, deleted_at=START_MS, disabled=True, banned_at=START_MS)]
    await insert_people(database, tenant_id, users)
    assert [user.id for user in (await list_users(search, tenant_id)).rows] == [users[0].id]
    assert (await list_users(search, tenant_id, disabled=True)).rows == []
    assert (await list_users(search, tenant_id, email=users[1].email)).rows == []
    assert (await list_users(search, tenant_id, status=UserStatus.BANNED)).rows == []
    binned = await list_users(search, tenant_id, status=UserStatus.DELETED)
    assert [(user.id, user.status) for user in binned.rows] == [(users[1].id, UserStatus.DELETED)]
    assert await find(search, tenant_id, "person2") == []
    assert await find(search, tenant_id, "person2", filters=SearchFilters(status=UserStatus.DELETED)) == [
        users[1].email
    ]


async def test_states_that_end_are_judged_by_the_clock(
    search: UserSearch, database: Database, tenant_id: str, clock: ManualClock
) -> None:
    users = [
        person(1, banned_at=START_MS, banned_until=START_MS + 10_000, disabled=True),
        person(2, locked_until=START_MS + 20_000, invited_at=START_MS),
    ]
    await insert_people(database, tenant_id, users)

    async def with_status() -> list[str]:
        statuses = [status for status in UserStatus for _ in (await list_users(search, tenant_id, status=status)).rows]
        assert sorted(statuses) == sorted(user.status for user in (await list_users(search, tenant_id)).rows)
        return statuses

    assert await with_status() == ["banned", "locked"]
    clock.advance(9.999)
    assert await with_status() == ["banned", "locked"]
    clock.advance(0.001)
    assert await with_status() == ["disabled", "locked"]
    clock.advance(10)
    assert await with_status() == ["disabled", "pending"]


async def test_an_address_is_found_whatever_its_case(search: UserSearch, database: Database, tenant_id: str) -> None:
    await insert_people(database, tenant_id, [person(1, email="Jürgen@Straße.de", external_id="X-1"), person(2)])
    for email in ("Jürgen@Straße.de", "JÜRGEN@STRASSE.DE", "ju\u0308rgen@straße.de"):
        assert len((await list_users(search, tenant_id, email=email)).rows) == 1
    for email in ("jurgen@strasse.de", "Jürgen@Straße.d", "%"):
        assert (await list_users(search, tenant_id, email=email)).rows == []
    assert len((await list_users(search, tenant_id, external_id="X-1", order_by=SortField.NAME)).rows) == 1
    assert (await list_users(search, tenant_id, external_id="x-1")).rows == []


async def test_what_a_search_finds(search: UserSearch, database: Database, tenant_id: str) -> None:
    jose = person(1, email="jose@example.com", name="José García-Márquez", username="gabo", phone="+34600111222")
    other = person(2, email="maria@example.com", name="María Josefa", username="100%_mj")
    await insert_people(database, tenant_id, [jose, other])
    both = [other.email, jose.email]
    for query, expected in [
        ("jose", both),
        ("JOSÉ", both),
        ("jose garcia", [jose.email]),
        ("garcia jose", [jose.email]),
        ("arci", [jose.email]),
        ("cia-mar", [jose.email]),
        ("ma", both),
        ("ar", []),
        ("ga ma", [jose.email]),
        ("gabo 600111", [jose.email]),
        ("+34", [jose.email]),
        ("34", [jose.email]),
        ("m jos", both),
        (jose.id, [jose.email]),
        (jose.id[5:14].lower(), [jose.email]),
        ("%_m", [other.email]),
        ("100% - ", [other.email]),
        ("___", []),
        ("%%%", []),
        ("josegarcia", []),
        ("com\njose\u2028garcia", [jose.email]),
        ('jose" OR "maria', []),
    ]:
        assert (query, await find(search, tenant_id, query)) == (query, expected)
    with pytest.raises(Invalid):
        await find(search, tenant_id, "%")
    with pytest.raises(Invalid):
        await find(search, tenant_id, " ".join(f"word{number}" for number in range(17)))


async def test_characters_that_an_index_takes_for_one_are_told_apart(
    search: UserSearch, database: Database, tenant_id: str
) -> None:
    """FTS5 reads U+FFFE and U+FFFF as U+FFFD."""
    names = ["xx\ufffeyy", "xx\ufffdyy", "xx\uffffyy"]
    await insert_people(database, tenant_id, [person(number, name=name) for number, name in enumerate(names)])
    for number, name in enumerate(names):
        assert await find(search, tenant_id, name[1:4]) == [f"person{number}@example.com"]


async def test_a_word_does_not_reach_from_one_field_into_the_next(
    search: UserSearch, database: Database, tenant_id: str
) -> None:
    await insert_people(database, tenant_id, [person(1, email="a@example.com", name="Bob", username="carol")])
    assert await find(search, tenant_id, "bob") == ["a@example.com"]
    for query in ("combob", "bobcar", "com\u2028bob carol x"):
        assert await find(search, tenant_id, query) == []


async def test_a_user_is_found_by_the_next_call(search: UserSearch, database: Database, tenant_id: str) -> None:
    for number in range(5):
        user = person(number, name=f"Newcomer Number{number}x", email=f"n{number}@example.com")
        await insert_people(database, tenant_id, [user])
        assert await find(search, tenant_id, f"number{number}x") == [user.email]
        assert await find(search, tenant_id, "ne nu") == [f"n{each}@example.com" for each in range(number, -1, -1)]


async def test_a_long_query_and_many_words(search: UserSearch, database: Database, tenant_id: str) -> None:
    name = " ".join(f"word{number:02}abc" for number in range(16))
    await insert_people(database, tenant_id, [person(1, name=name), person(2, name=f"{name[:-1]}d"), person(3)])
    assert await find(search, tenant_id, name) == ["person1@example.com"]
    long = "abcdefghij" * 20
    await insert_people(database, tenant_id, [person(4, name=long), person(5, name=f"{long[:100]}x{long[101:]}")])
    assert await find(search, tenant_id, long) == ["person4@example.com"]
    await insert_people(database, tenant_id, [person(6, name="\ufdfa" * 50)])
    assert await find(search, tenant_id, "\ufdfa" * 50) == ["person6@example.com"]


async def test_a_total_beyond_the_cap_says_so(search: UserSearch, database: Database, tenant_id: str) -> None:
    users = [person(number, mfa_enrolled=True, name=f"n{number % 7}") for number in range(COUNT_CAP + 2)]
    await insert_people(database, tenant_id, users[:COUNT_CAP])

    async def totals() -> set[tuple[int, bool]]:
        requests = [
            SearchUsersRequest(query="person"),
            SearchUsersRequest(query="pe", sort=SearchSort(field=SortField.NAME)),
            SearchUsersRequest(filters=SearchFilters(mfa_enrolled=True, disabled=False)),
            SearchUsersRequest(filters=SearchFilters(status=UserStatus.ACTIVE), sort=SearchSort(field=SortField.EMAIL)),
        ]
        pages = [await search.search_users(tenant_id, request) for request in requests]
        assert all(len(page.rows) == 20 for page in pages)
        return {(page.pagination.total, page.pagination.total_is_exact) for page in pages}

    assert await totals() == {(COUNT_CAP, True)}
    await insert_people(database, tenant_id, users[COUNT_CAP:])
    assert await totals() == {(COUNT_CAP, False)}
    assert (await list_users(search, tenant_id)).pagination.total == COUNT_CAP + 2


async def test_text_in_an_organization_is_found_whichever_is_rarer(
    search: UserSearch, database: Database, tenant_id: str
) -> None:
    """On SQLite the members drive where they are few for the text, else the text does."""
    users = [person(number, name=f"Common Rare{number}", mfa_enrolled=number % 2 == 0) for number in range(120)]
    members = {
        "org_small": [user.id for user in users[10:30:2]],
        "org_big": [user.id for user in users[:100]],
        "org_one": [users[7].id],
    }
    await insert_people(database, tenant_id, users, members)
    for organization_id, query in itertools.product(
        [*members, "org_none"], ["common", "co", "common rare1", "rare17", "rare7 co", "r", "nobody", ""]
    ):
        filters = SearchFilters(organization_id=organization_id)
        inside = set(members.get(organization_id, ()))
        words = query.split()
        expected = [
            user
            for user in reversed(users)
            if user.id in inside and all(word in (user.name or "").casefold() for word in words)
        ]
        for sort in (SearchSort(), SearchSort(field=SortField.EMAIL, direction=Direction.DESCENDING)):
            in_sort = expected if sort == SearchSort() else sorted(expected, key=lambda user: user.email, reverse=True)
            cursor, seen = None, []
            while True:
                request = SearchUsersRequest(query=query, filters=filters, sort=sort, limit=7, cursor=cursor)
                page = await search.search_users(tenant_id, request)
                seen += [user.id for user in page.rows]
                assert (page.pagination.total, page.pagination.total_is_exact) == (len(expected), True)
                cursor = page.pagination.next_cursor
                if cursor is None:
                    break
            assert (organization_id, query, seen) == (organization_id, query, [user.id for user in in_sort])
