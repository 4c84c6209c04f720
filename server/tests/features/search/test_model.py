"""Both stores against a plain model: the same users, in the same order, with the right total, for any question."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hellojohn_server.features.search.repository import Found, search_users
from hellojohn_server.features.search.schemas import Direction, SortField, UserFilter, UserOrder
from hellojohn_server.features.users.schemas import User, UserStatus
from hellojohn_server.kit.errors import Invalid
from hellojohn_server.kit.search_query import parse_query
from hellojohn_server.storage.database import Database, Reader
from tests.conftest import START_MS
from tests.features.search.people import DAY_MS, QUERIES, in_order, insert_people, is_wanted, people

USERS = people(160)
MEMBERS = {"org_a": [user.id for user in USERS[::3]], "org_b": [user.id for user in USERS[:4]]}


@pytest.fixture
async def populated(database: Database, tenant_id: str, other_tenant_id: str) -> tuple[Database, str]:
    await insert_people(database, tenant_id, USERS, MEMBERS)
    await insert_people(database, other_tenant_id, people(40, seed=8), {"org_a": [USERS[0].id]})
    return database, tenant_id


def moments() -> st.SearchStrategy[int]:
    return st.one_of(
        st.sampled_from([user.created_at for user in USERS[:10]]),
        st.integers(START_MS - 1_001 * DAY_MS, START_MS + DAY_MS),
    )


FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from(UserStatus),
        "role": st.sampled_from(["member", "admin", "nobody"]),
        "disabled": st.booleans(),
        "mfa_enrolled": st.booleans(),
        "email_verified": st.booleans(),
        "organization_id": st.sampled_from(["org_a", "org_b", "org_none"]),
        "created_after": moments(),
        "created_before": moments(),
        "last_active_after": st.integers(START_MS - 5 * DAY_MS, START_MS),
        "last_active_before": st.integers(START_MS - 5 * DAY_MS, START_MS),
        "email_key": st.sampled_from([user.email_key for user in USERS[:5]]),
        "external_id": st.sampled_from([user.external_id for user in USERS if user.external_id][:5]),
    },
)
FEW_FILTERS = FILTERS.map(lambda filters: dict(list(filters.items())[:2]))
WORDS = st.one_of(
    st.sampled_from(QUERIES),
    st.text(alphabet='aejlmnrst.@ 12éßм%_"', max_size=6),
    st.sampled_from(["", ""]),
)
ORDERS = st.builds(UserOrder, st.sampled_from(SortField), st.sampled_from(Direction))


async def every_page(
    database: Database, tenant_id: str, wanted: UserFilter, order: UserOrder, *, limit: int, cap: int
) -> tuple[list[User], list[Found]]:
    users: list[User] = []
    pages: list[Found] = []
    place = None
    for _ in range(len(USERS) + 1):

        async def read(reader: Reader, place: Any = place) -> Found:
            return await search_users(reader, wanted, order, place, limit=limit, now_ms=START_MS, cap=cap)

        found = await database.read(tenant_id, read)
        users += found.users
        pages.append(found)
        place = found.last
        if not found.has_more:
            return users, pages
    raise AssertionError("the pages do not end")


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    filters=st.one_of(FILTERS, FEW_FILTERS),
    query=WORDS,
    order=ORDERS,
    limit=st.integers(1, 60),
    cap=st.sampled_from([1, 5, 30, 10_000]),
)
async def test_any_question_is_answered_as_the_model_says(
    populated: tuple[Database, str], filters: dict[str, Any], query: str, order: UserOrder, limit: int, cap: int
) -> None:
    database, tenant_id = populated
    try:
        words = parse_query(query)
    except Invalid:
        return
    wanted = UserFilter(words=words, **filters)
    expected = in_order([user for user in USERS if is_wanted(user, wanted, query, MEMBERS, START_MS)], order)
    users, pages = await every_page(database, tenant_id, wanted, order, limit=limit, cap=cap)
    assert [user.id for user in users] == [user.id for user in expected]
    assert users == expected
    for page in pages:
        capped = len(expected) if page.is_counted else min(len(expected), cap + 1)
        assert page.total == capped
