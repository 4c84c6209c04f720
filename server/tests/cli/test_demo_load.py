"""`hj demo load`: a crowd that is skewed, of many scripts and states, and the same for the same seed."""

import json
import re
import unicodedata
from collections import Counter
from itertools import pairwise

import pytest

from hellojohn_server.cli.console import err
from hellojohn_server.cli.demo_crowd import Crowd, Some
from hellojohn_server.cli.exits import ExitCode
from hellojohn_server.cli.parts import Tools
from hellojohn_server.cli.progress import progress
from hellojohn_server.features.search.schemas import ListUsersQuery, SearchUsersRequest
from hellojohn_server.features.users.schemas import User, UserStatus, status_of
from hellojohn_server.features.users.service import change_counters
from hellojohn_server.kit.emails import is_email
from hellojohn_server.kit.ids import IdPrefix, encode_ulid, is_id
from hellojohn_server.kit.text import fold
from hellojohn_server.storage.database import Transaction
from tests.cli.conftest import Place
from tests.conftest import START_MS
from tests.support import run_hj

SCRIPTS = {"LATIN", "CYRILLIC", "GREEK", "ARABIC", "HEBREW", "CJK", "HIRAGANA", "KATAKANA", "HANGUL", "DEVANAGARI"}
MANY = 20_000
CREATE = ("tenants", "create", "--name", "Crowd", "--json")


@pytest.fixture(scope="module")
def crowd() -> Some:
    """Everybody of a crowd."""
    whole = Some([], [], [])
    for some in Crowd(START_MS, MANY, 1).some(999):
        whole.users.extend(some.users)
        whole.memberships.extend(some.memberships)
        whole.factors.extend(some.factors)
    return whole


def test_the_same_seed_makes_the_same_people() -> None:
    def made(seed: int, at_once: int) -> list[User]:
        return [user for some in Crowd(START_MS, 50, seed).some(at_once) for user in some.users]

    assert made(1, 7) == made(1, 50)
    assert made(1, 50) != made(2, 50)


def test_a_crowd_is_skewed(crowd: Some) -> None:
    names = Counter(word for user in crowd.users for word in (user.name_key or "").split())
    assert 0.01 < names["smith"] / MANY < 0.02
    assert sum(count == 1 for count in names.values()) > 100
    domains = Counter(user.email.rpartition("@")[2] for user in crowd.users)
    assert 0.3 < domains["gmail.example"] / MANY < 0.5
    assert min(domains.values()) < 10
    sizes = Counter(membership.organization_id for membership in crowd.memberships)
    assert len(Crowd(START_MS, 1, 1).organizations) == 500
    assert sizes.most_common(1)[0][1] > 0.02 * MANY
    assert min(sizes.values()) < 5
    written = {letter for user in crowd.users for letter in user.name or "" if letter.isalpha()}
    letters = {unicodedata.name(letter).split()[0] for letter in written}
    assert letters >= SCRIPTS


def test_a_crowd_has_every_state_and_role(crowd: Some) -> None:
    states = Counter(status_of(user, START_MS) for user in crowd.users)
    assert 0.04 < states[UserStatus.DISABLED] / MANY < 0.06
    assert set(states) == set(UserStatus)
    roles = Counter(user.role for user in crowd.users)
    assert roles["super_admin"] == 2
    assert roles["member"] > roles["support_agent"] > roles["security_officer"] > 0
    assert {membership.role for membership in crowd.memberships} == {"member", "admin", "owner"}
    of_factors = {factor.user_id for factor in crowd.factors}
    assert of_factors == {user.id for user in crowd.users if user.mfa_enrolled}


def test_everybody_is_somebody_and_nobody_real(crowd: Some) -> None:
    assert all(before.created_at <= after.created_at for before, after in pairwise(crowd.users))
    for attribute in ("id", "email_key"):
        assert len({getattr(user, attribute) for user in crowd.users}) == MANY
    for attribute in ("username", "external_id"):
        given = [value for user in crowd.users if (value := getattr(user, attribute)) is not None]
        assert len(given) == len(set(given)) > 0.3 * MANY
    for user in crowd.users:
        assert is_id(user.id, IdPrefix.USER)
        assert is_email(user.email)
        assert user.email.endswith(".example")
        assert user.phone is None or re.fullmatch(r"\+1\d{3}55501\d\d", user.phone)
        assert user.name_key == (None if user.name is None else fold(user.name))
        assert START_MS - 3 * 366 * 86_400_000 < user.created_at < START_MS
        assert user.created_at <= (user.last_sign_in_at or START_MS) <= START_MS


async def test_it_fills_an_empty_test_tenant_and_no_other(place: Place) -> None:
    tenant = json.loads(run_hj(*CREATE, "--environment", "test", environ=place.environ).stdout)["id"]
    live = json.loads(run_hj(*CREATE, environ=place.environ).stdout)["id"]
    loaded = run_hj("demo", "load", "--tenant", tenant, "--users", "620", "--json", environ=place.environ)
    assert loaded.returncode == 0, loaded.stderr
    said = json.loads(loaded.stdout)
    assert (said["tenant_id"], said["users"], said["organizations"], said["seed"]) == (tenant, 620, 500, 1)
    nobody = f"tnt_{encode_ulid(1)}"
    for wrong, says in ((tenant, "has users already"), (live, "live tenant"), (nobody, "no such tenant")):
        refused = run_hj("demo", "load", "--tenant", wrong, environ=place.environ)
        assert refused.returncode == ExitCode.REFUSED
        assert says in refused.stderr

    checked = run_hj("counters", "check", "--tenant", tenant, environ=place.environ)
    assert (checked.returncode, checked.stdout) == (0, "Every counter says what there is.\n"), checked.stderr

    async def look(tools: Tools) -> None:
        everyone = [user for some in Crowd(START_MS, 620, 1).some(620) for user in some.users]
        page = await tools.search.list_users(tenant, ListUsersQuery(limit=1))
        alive = [user for user in everyone if user.deleted_at is None]
        assert page.pagination.total == len(alive) > 600
        disabled = await tools.search.list_users(tenant, ListUsersQuery(limit=1, disabled=True))
        assert disabled.pagination.total == sum(user.disabled for user in alive) > 10
        smiths = [user for user in alive if "smith" in f"{user.email} {user.name_key} {user.username}"]
        found = await tools.search.search_users(tenant, SearchUsersRequest(query="smith"))
        assert found.pagination.total == len(smiths) > 1
        assert (await tools.search.list_users(live, ListUsersQuery())).rows == []

    async def spoil(tools: Tools) -> None:
        async def add(tx: Transaction) -> None:
            await change_counters(tx, {"disabled": 3})

        await tools.database.write(tenant, add, type(None))

    await place.use(look)
    await place.use(spoil)
    checked = run_hj("counters", "check", "--tenant", tenant, "--json", environ=place.environ)
    assert checked.returncode == ExitCode.DIFFERENT
    assert "1 counters are wrong" in checked.stderr
    [wrong] = json.loads(checked.stdout)
    assert (wrong["facet"], wrong["kept"] - wrong["counted"]) == ("disabled", 3)
    assert run_hj("counters", "rebuild", "--tenant", tenant, environ=place.environ).returncode == 0
    assert run_hj("counters", "check", "--tenant", tenant, environ=place.environ).returncode == 0
    assert run_hj("counters", "check", "--tenant", nobody, environ=place.environ).returncode == ExitCode.REFUSED


def test_without_a_terminal_progress_is_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not err.is_terminal
    monkeypatch.setattr("hellojohn_server.cli.progress._EVERY_SECONDS", 0.0)
    with progress("Users", 1000) as advance:
        advance(250)
        advance(250)
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(",")[0] for line in lines] == ["Users: 250 of 1", "Users: 500 of 1"]
    assert all(re.fullmatch(r"Users: \d+ of 1,000, [\d,]+/s, \d+ s left", line) for line in lines)
