"""Acts for jobs: a role or metadata for many users, and for each act that can be undone the act that undoes it.

An undo is done only to users who are as the act left them: `Mark` has the version of then, and how they were before.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from hellojohn_server.features.audit.events import Event
from hellojohn_server.features.user_acts.schemas import Case, Moment
from hellojohn_server.features.user_acts.service import Act, Ban, Delete, Disable, Enable, Restore, Unban
from hellojohn_server.features.user_changes import repository
from hellojohn_server.features.user_changes.events import user_updated
from hellojohn_server.features.user_changes.schemas import Mark, Was
from hellojohn_server.features.users.schemas import MAX_METADATA_BYTES, User, is_banned
from hellojohn_server.kit.builtin_roles import BuiltinRole
from hellojohn_server.kit.error_codes import FieldCode
from hellojohn_server.kit.errors import ApiError, FieldError, Invalid, VersionMismatch
from hellojohn_server.kit.merge_patch import merge_patch
from hellojohn_server.storage.database import Parameter, Transaction

_METADATA: Final = ("public_metadata", "private_metadata")
_encode: Final = msgspec.json.Encoder().encode


class SetRole(Act):
    """Another role. Access tokens that say the old one are good no more."""

    statement = repository.UPDATE_ROLE

    def __init__(self, reason: str | None, role: str) -> None:
        super().__init__(reason)
        self._role = role
        self.gives = (role,)

    def given_role(self, case: Case) -> str | None:  # noqa: ARG002 - all are given the same
        return self._role

    def holds(self, case: Case) -> bool:
        return case.before.role == self._role

    def demotes(self, case: Case) -> bool:
        return self._role != BuiltinRole.SUPER_ADMIN and not self.holds(case)

    def values(self, moment: Moment) -> dict[str, Parameter]:
        return {**super().values(moment), "role": self._role}

    def event(self, case: Case) -> Event:
        return user_updated(case.before.id, {"role": (case.before.role, case.after.role)}, self.reason)


class SetMetadata(Act):
    """Metadata merged with what is there (RFC 7396); None for an object that stays."""

    statement = repository.UPDATE_METADATA

    def __init__(self, reason: str | None, patches: tuple[dict[str, Any] | None, dict[str, Any] | None]) -> None:
        super().__init__(reason)
        self._patches = patches
        self._merged: dict[str, tuple[str, str]] = {}

    def refusal(self, case: Case) -> ApiError | None:
        too_large = [
            FieldError(field, FieldCode.TOO_LONG, f"Would be more than {MAX_METADATA_BYTES} bytes as JSON.")
            for field, text in zip(_METADATA, self._after(case.before), strict=True)
            if len(text.encode()) > MAX_METADATA_BYTES
        ]
        return Invalid(details=too_large) if too_large else None

    def holds(self, case: Case) -> bool:
        return self._after(case.before) == (case.before.public_metadata, case.before.private_metadata)

    def values_for(self, moment: Moment, cases: Sequence[Case]) -> dict[str, Parameter]:
        return {**self.values(moment), "given": _given({case.before.id: self._after(case.before) for case in cases})}

    def event(self, case: Case) -> Event:
        return user_updated(case.before.id, _changed_keys(case), self.reason)

    def _after(self, user: User) -> tuple[str, str]:
        stored = (user.public_metadata, user.private_metadata)
        public, private = (
            text if patch is None else _merged(text, patch) for text, patch in zip(stored, self._patches, strict=True)
        )
        return public, private


class Undo(Act):
    """What undoes an act, for each user in `marks` who has not changed since."""

    def __init__(self, reason: str | None, marks: Sequence[Mark]) -> None:
        Act.__init__(self, reason)  # whatever the act that it resembles is made of
        self.marks: Mapping[str, Mark] = {mark.user_id: mark for mark in marks}

    def refusal(self, case: Case) -> ApiError | None:
        mark = self.marks.get(case.before.id)
        return None if mark is not None and mark.version == case.before.version else VersionMismatch()

    def was(self, case: Case) -> Any:
        """Return how the user was before what is undone."""
        return self.marks[case.before.id].was


class UndoDisable(Undo, Enable):
    """The end of a disable. Sessions that ended with it stay ended."""


class UndoEnable(Undo, Disable):
    """Disabled again, as it was: since when, by whom and why. Sessions end."""

    statement = repository.UPDATE_DISABLED_AGAIN

    def values_for(self, moment: Moment, cases: Sequence[Case]) -> dict[str, Parameter]:
        return {**self.values(moment), "given": _given({case.before.id: self.was(case) for case in cases})}


class UndoBan(Undo, Unban):
    """No ban, or the one that there was before."""

    statement = repository.UPDATE_BANNED_AGAIN

    def is_due(self, case: Case) -> bool:
        return _ban_of(case.before) != self._ban(case)

    def values_for(self, moment: Moment, cases: Sequence[Case]) -> dict[str, Parameter]:
        return {**self.values(moment), "given": _given({case.before.id: self._ban(case) for case in cases})}

    def event(self, case: Case) -> Event:
        if is_banned(case.after, case.now_ms):
            return Ban(self.reason, case.after.banned_until).event(case)
        return super().event(case)

    async def follow_up(self, tx: Transaction, cases: Sequence[Case]) -> None:
        for case in cases:
            if case.after.banned_until is not None:
                tx.mark_due(case.after.banned_until)

    def _ban(self, case: Case) -> list[Any]:
        """Return the ban that there was, none if it would have ended by now."""
        was: list[Any] = self.was(case)
        is_over = was[0] is None or (was[2] is not None and was[2] <= case.now_ms)
        return [None] * len(was) if is_over else was


class UndoUnban(UndoBan):
    """The ban that there was, unless it would have ended by now. Sessions end."""

    takes_access = True
    ends = Ban.ends

    def holds(self, case: Case) -> bool:
        return not self.is_due(case)


class UndoDelete(Undo, Restore):
    """Out of the recycle bin. Sessions that ended stay ended."""


class UndoRestore(Undo, Delete):
    """Into the recycle bin again, for another thirty days."""

    statement = repository.UPDATE_DELETED_AGAIN

    def values_for(self, moment: Moment, cases: Sequence[Case]) -> dict[str, Parameter]:
        return {**self.values(moment), "given": _given({case.before.id: self.was(case) for case in cases})}


class UndoRole(Undo):
    """The role that each user had."""

    statement = repository.UPDATE_ROLES

    def __init__(self, reason: str | None, marks: Sequence[Mark]) -> None:
        super().__init__(reason, marks)
        self.gives = sorted({mark.was[0] for mark in marks if isinstance(mark.was, list)})

    def given_role(self, case: Case) -> str | None:
        mark = self.marks.get(case.before.id)
        return mark.was[0] if mark is not None and isinstance(mark.was, list) else None

    def holds(self, case: Case) -> bool:
        return bool(case.before.role == self.was(case)[0])

    def demotes(self, case: Case) -> bool:
        return case.before.role == BuiltinRole.SUPER_ADMIN and not self.holds(case)

    def values_for(self, moment: Moment, cases: Sequence[Case]) -> dict[str, Parameter]:
        return {**self.values(moment), "given": _given({case.before.id: self.was(case) for case in cases})}

    def event(self, case: Case) -> Event:
        return user_updated(case.before.id, {"role": (case.before.role, case.after.role)}, self.reason)


class UndoMetadata(Undo):
    """The keys of the metadata as they were."""

    statement = repository.UPDATE_METADATA

    def holds(self, case: Case) -> bool:
        return self._after(case) == (case.before.public_metadata, case.before.private_metadata)

    def values_for(self, moment: Moment, cases: Sequence[Case]) -> dict[str, Parameter]:
        return {**self.values(moment), "given": _given({case.before.id: self._after(case) for case in cases})}

    def event(self, case: Case) -> Event:
        return user_updated(case.before.id, _changed_keys(case), self.reason)

    def _after(self, case: Case) -> tuple[str, str]:
        was = self.was(case)
        public, private = (_put_back(getattr(case.before, field), was.get(field, {})) for field in _METADATA)
        return public, private


_UNDOES: Final[Mapping[str, type[Undo]]] = {
    "ban": UndoBan,
    "delete": UndoDelete,
    "disable": UndoDisable,
    "enable": UndoEnable,
    "restore": UndoRestore,
    "set_metadata": UndoMetadata,
    "set_role": UndoRole,
    "unban": UndoUnban,
}


def undo_of(action: str, reason: str | None, marks: Sequence[Mark]) -> Undo:
    """Return the act that undoes an action for these users. KeyError for one that cannot be undone."""
    return _UNDOES[action](reason, marks)


def remembering(act: Act) -> Callable[[Case], Was] | None:
    """Return what tells, of a user changed by an act, what undoing it needs to know of before; None when nothing."""
    return next((remember for kind, remember in _REMEMBERS if isinstance(act, kind)), None)


def _ban_of(user: User) -> list[Any]:
    return [user.banned_at, user.banned_by, user.banned_until, user.ban_reason]


def _given(values: Mapping[str, Any]) -> str:
    return _encode(values).decode()


def _merged(text: str, patch: dict[str, Any]) -> str:
    """Return metadata after a patch; the same text when nothing differs."""
    before = msgspec.json.decode(text)
    after = merge_patch(before, patch)
    return text if after == before and _encode(after) == _encode(before) else _encode(after).decode()


def _changed_keys(case: Case) -> dict[str, tuple[Any, Any]]:
    """Return each key of the metadata that differs, named with its object before it, with its old and new value."""
    changes: dict[str, tuple[Any, Any]] = {}
    for field in _METADATA:
        old, new = (msgspec.json.decode(getattr(user, field)) for user in (case.before, case.after))
        for key in {**old, **new}:
            if _encode(old.get(key)) != _encode(new.get(key)):
                changes[f"{field}.{key}"] = (old.get(key), new.get(key))
    return changes


def _keys_before(case: Case) -> dict[str, dict[str, Any]]:
    """Return, for each of the two objects that differs, the changed keys with an array of the old value, or null."""
    was: dict[str, dict[str, Any]] = {}
    for field in _METADATA:
        old, new = (msgspec.json.decode(getattr(user, field)) for user in (case.before, case.after))
        keys = [
            key for key in {**old, **new} if _encode([old.get(key), key in old]) != _encode([new.get(key), key in new])
        ]
        if keys:
            was[field] = {key: [old[key]] if key in old else None for key in keys}
    return was


def _put_back(text: str, was: Mapping[str, list[Any] | None]) -> str:
    if not was:
        return text
    metadata = msgspec.json.decode(text)
    for key, value in was.items():
        if value is None:
            metadata.pop(key, None)
        else:
            metadata[key] = value[0]
    return _encode(metadata).decode()


_REMEMBERS: Final[Sequence[tuple[type[Act], Callable[[Case], Was]]]] = (
    (Enable, lambda case: [case.before.disabled_at, case.before.disabled_by, case.before.disabled_reason]),
    (Ban, lambda case: _ban_of(case.before)),
    (Unban, lambda case: _ban_of(case.before)),
    (Restore, lambda case: [case.before.deleted_by, case.before.deleted_reason]),
    (SetRole, lambda case: [case.before.role]),
    (SetMetadata, _keys_before),
)
