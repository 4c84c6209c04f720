"""The scopes of a secret key, and what a key with given scopes may do."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final


class Scope(StrEnum):
    """One permission of a secret key. docs/scopes.md says what each is for."""

    ADMINS_MANAGE = "admins:manage"
    AUDIT_READ = "audit:read"
    AUDIT_WRITE = "audit:write"
    CONFIG_READ = "config:read"
    CONFIG_WRITE = "config:write"
    JOBS_READ = "jobs:read"
    JOBS_WRITE = "jobs:write"
    KEYS_READ = "keys:read"
    KEYS_WRITE = "keys:write"
    MFA_READ = "mfa:read"
    MFA_WRITE = "mfa:write"
    ORGANIZATIONS_READ = "organizations:read"
    ORGANIZATIONS_WRITE = "organizations:write"
    REVOCATIONS_READ = "revocations:read"
    ROLES_READ = "roles:read"
    ROLES_WRITE = "roles:write"
    SESSIONS_READ = "sessions:read"
    SESSIONS_WRITE = "sessions:write"
    USERS_CREDENTIALS = "users:credentials"
    USERS_ERASE = "users:erase"
    USERS_EXPORT = "users:export"
    USERS_IMPERSONATE = "users:impersonate"
    USERS_READ = "users:read"
    USERS_WRITE = "users:write"
    WEBHOOKS_READ = "webhooks:read"
    WEBHOOKS_WRITE = "webhooks:write"


ALL_SCOPES: Final = "*"
_NAMES: Final = frozenset(scope.value for scope in Scope)
FAMILIES: Final = frozenset(scope.value.partition(":")[0] for scope in Scope if scope is not Scope.ADMINS_MANAGE)
"""What stands before the colon: `users` in users:read and users:*. Not `admins`: no wildcard includes admins:manage."""


def is_grant(text: str) -> bool:
    """Say whether `text` may stand in a key's scopes: a scope, a family such as users:*, or *."""
    if text == ALL_SCOPES or text in _NAMES:
        return True
    family, separator, rest = text.partition(":")
    return separator == ":" and rest == "*" and family in FAMILIES


def is_granted(grants: Iterable[str], scope: Scope) -> bool:
    """Say whether `grants` include `scope`. No wildcard includes admins:manage: it must be named."""
    return _includes(frozenset(grants), scope.value)


def missing_grants(held: Iterable[str], wanted: Iterable[str]) -> list[str]:
    """Return those of `wanted`, in order of the alphabet, that whoever holds `held` may not give away.

    A scope may be given by who holds it, a wildcard only by who holds it or a wider one: it also stands for scopes that
    are yet to come, which all of today's by name do not.
    """
    grants = frozenset(held)
    return sorted(grant for grant in frozenset(wanted) if not _includes(grants, grant))


def _includes(held: frozenset[str], grant: str) -> bool:
    if grant in held:
        return True
    if grant == Scope.ADMINS_MANAGE.value:
        return False
    return ALL_SCOPES in held or f"{grant.partition(':')[0]}:*" in held
