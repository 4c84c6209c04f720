"""Scopes: what grants include and what may be given away, above all that no wildcard includes managing admins."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hellojohn_server.kit.scopes import ALL_SCOPES, FAMILIES, Scope, is_grant, is_granted, missing_grants

GRANTS = [ALL_SCOPES, *(f"{family}:*" for family in sorted(FAMILIES)), *(scope.value for scope in Scope)]
grants = st.frozensets(st.sampled_from(GRANTS))


def included(held: frozenset[str]) -> set[str]:
    """Return what `held` opens: today's scopes, and for each wildcard one that is yet to come."""
    names = {scope.value for scope in Scope if is_granted(held, scope)}
    names |= {f"{family}:later" for family in FAMILIES if held & {ALL_SCOPES, f"{family}:*"}}
    return names | ({"later:read"} if ALL_SCOPES in held else set())


def test_scopes_are_in_order() -> None:
    assert [scope.name for scope in Scope] == sorted(scope.name for scope in Scope)
    assert all(scope.name == scope.value.upper().replace(":", "_") for scope in Scope)


@pytest.mark.parametrize("grant", GRANTS)
def test_what_may_be_granted(grant: str) -> None:
    assert is_grant(grant)


@pytest.mark.parametrize(
    "text", ["", "users", "users:", ":read", "*:*", "*:read", "users:fly", "USERS:READ", "users:* ", "admins:*"]
)
def test_what_may_not_be_granted(text: str) -> None:
    assert not is_grant(text)


@pytest.mark.parametrize("scope", [scope for scope in Scope if scope is not Scope.ADMINS_MANAGE])
def test_a_scope_is_granted_by_name_by_family_and_by_everything(scope: Scope) -> None:
    family = scope.value.partition(":")[0]
    assert is_granted([scope.value], scope)
    assert is_granted([f"{family}:*"], scope)
    assert is_granted([ALL_SCOPES], scope)
    others = [grant for grant in GRANTS if grant not in {scope.value, f"{family}:*", ALL_SCOPES}]
    assert not is_granted(others, scope)


def test_managing_admins_is_granted_by_name_only() -> None:
    assert is_granted(["admins:manage"], Scope.ADMINS_MANAGE)
    assert not is_granted([grant for grant in GRANTS if grant != "admins:manage"], Scope.ADMINS_MANAGE)


@given(grants, grants)
def test_more_grants_never_allow_less(held: frozenset[str], more: frozenset[str]) -> None:
    assert included(held) <= included(held | more)


@given(grants, grants)
def test_what_may_be_given_away_opens_nothing_more_now_or_later(held: frozenset[str], wanted: frozenset[str]) -> None:
    missing = missing_grants(held, wanted)
    assert missing == sorted(missing)
    assert included(wanted - set(missing)) <= included(held)
    assert all(not included(frozenset({grant})) <= included(held) for grant in missing)


@given(grants)
def test_whoever_holds_everything_may_give_everything(held: frozenset[str]) -> None:
    assert missing_grants(held, held) == []
    assert missing_grants({ALL_SCOPES, Scope.ADMINS_MANAGE.value}, held) == []


@pytest.mark.parametrize(
    ("held", "wanted", "missing"),
    [
        ({scope.value for scope in Scope}, {"*"}, ["*"]),
        ({scope.value for scope in Scope}, {"users:*", "users:read"}, ["users:*"]),
        ({f"{family}:*" for family in FAMILIES}, {"*", "users:*"}, ["*"]),
        ({"*"}, {"*", "users:*", "users:read", "admins:manage"}, ["admins:manage"]),
        ({"users:*"}, {"audit:*", "users:*", "users:read"}, ["audit:*"]),
    ],
)
def test_a_wildcard_is_given_by_who_holds_it_or_a_wider_one(
    held: set[str], wanted: set[str], missing: list[str]
) -> None:
    assert missing_grants(held, wanted) == missing
