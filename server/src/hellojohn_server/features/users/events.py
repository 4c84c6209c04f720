"""What acts on users say of themselves in the audit log. docs/audit.md lists them."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from hellojohn_server.features.audit.events import Event
from hellojohn_server.features.users.schemas import PasswordOrigin, User
from hellojohn_server.kit.audit_types import AuditType, ResourceType
from hellojohn_server.kit.times import format_optional_time

_FIELDS: Final = (
    "email",
    "email_verified",
    "username",
    "name",
    "phone",
    "phone_verified",
    "avatar_url",
    "external_id",
    "role",
)
_METADATA: Final = ("public_metadata", "private_metadata")
_EMPTY: Final = {"email_verified": False, "phone_verified": False, "public_metadata": "{}", "private_metadata": "{}"}


def changes_between(before: User | None, after: User) -> dict[str, tuple[Any, Any]]:
    """Return the profile fields that differ, each with its old and new value; of metadata, the keys that differ.

    A metadata key is named with its object before it: `public_metadata.plan`. None before means a new user.
    """
    changes: dict[str, tuple[Any, Any]] = {}
    for field in _FIELDS:
        old, new = _value(before, field), getattr(after, field)
        if old != new:
            changes[field] = (old, new)
    for field in _METADATA:
        old_keys, new_keys = msgspec.json.decode(_value(before, field)), msgspec.json.decode(getattr(after, field))
        for key in {**old_keys, **new_keys}:
            old, new = old_keys.get(key), new_keys.get(key)
            if msgspec.json.encode(old) != msgspec.json.encode(new):
                changes[f"{field}.{key}"] = (old, new)
    return changes


def _value(user: User | None, field: str) -> Any:
    return _EMPTY.get(field) if user is None else getattr(user, field)


def user_created(user: User, password: PasswordOrigin, about: Mapping[str, str] | None = None) -> Event:
    """Return the entry of a new user; `about` is what else it says of where the user comes from."""
    return Event(
        AuditType.USER_CREATED,
        user.id,
        ResourceType.USER,
        changes=changes_between(None, user),
        metadata={"password": password, **(about or {})},
    )


def user_updated(before: User, after: User, reason: str | None) -> Event:
    """Return the entry of a change of profile, address, role or metadata, and of the lock that ends with an address."""
    changes = changes_between(before, after)
    if before.locked_until is not None and after.locked_until is None:
        changes["locked_until"] = (format_optional_time(before.locked_until), None)
    return Event(AuditType.USER_UPDATED, after.id, ResourceType.USER, reason=reason, changes=changes)


def user_disabled(user_id: str, *, was_disabled: bool, reason: str | None, sessions_revoked: int) -> Event:
    """Return the entry of a disable; for one who was disabled already, of the end of the sessions left to rest."""
    changes = {} if was_disabled else {"disabled": (False, True)}
    metadata = {"sessions_revoked": sessions_revoked}
    return Event(AuditType.USER_DISABLED, user_id, ResourceType.USER, reason=reason, changes=changes, metadata=metadata)


def user_enabled(user_id: str, reason: str | None) -> Event:
    """Return the entry of an enable."""
    return Event(AuditType.USER_ENABLED, user_id, ResourceType.USER, reason=reason, changes={"disabled": (True, False)})


def user_invited(user_id: str) -> Event:
    """Return the entry of an invitation that was mailed to a new user."""
    return Event(AuditType.USER_INVITED, user_id, ResourceType.USER)
