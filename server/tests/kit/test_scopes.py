"""Scopes: what a key's grants include, above all that managing admins is never included by a wildcard."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hellojohn_server.kit.scopes import ALL_SCOPES, FAMILIES, Scope, expand_grants, is_grant, is_granted

GRANTS = [ALL_SCOPES, *(f"{family}:*" for family in sorted(FAMILIES)), *(scope.value for scope in Scope)]
grants = st.frozensets(st.sampled_from(GRANTS))


def test_scopes_are_in_order() -> None:
    assert [scope.name for scope in Scope] == sorted(scope.name for scope in Scope)
    assert all(scope.name == scope.value.upper().replace(":", "_") for scope in Scope)


@pytest.mark.parametrize("grant", GRANTS)
def test_what_may_be_granted(grant: str) -> None:
    assert is_grant(grant)


@pytest.mark.parametrize(
    "text", ["", "users", "users:", ":read", "*:*", "*:read", "users:fly", "USERS:READ", "users:* "]
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


@given(grants)
def test_what_is_expanded_is_what_is_granted(held: frozenset[str]) -> None:
    expanded = expand_grants(held)
    assert expanded == {scope for scope in Scope if is_granted(held, scope)}
    assert expand_grants(scope.value for scope in expanded) == expanded


@given(grants, grants)
def test_more_grants_never_allow_less(held: frozenset[str], more: frozenset[str]) -> None:
    assert expand_grants(held) <= expand_grants(held | more)
