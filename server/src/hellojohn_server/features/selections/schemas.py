"""What is done to many users, how, and to whom."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Final, cast

import msgspec
from msgspec import Meta

from hellojohn_server.features.search.schemas import SearchFilters
from hellojohn_server.features.user_access.schemas import BanDuration
from hellojohn_server.features.users.schemas import Metadata, Reason, RoleName
from hellojohn_server.kit.error_codes import FieldCode
from hellojohn_server.kit.errors import FieldError
from hellojohn_server.kit.routing import FAULTY
from hellojohn_server.kit.scopes import Scope
from hellojohn_server.kit.times import Moment


class Action(StrEnum):
    """What can be done to many users."""

    BAN = "ban"
    DELETE = "delete"
    DISABLE = "disable"
    ENABLE = "enable"
    PASSWORD_RESET = "password_reset"
    RESTORE = "restore"
    REVOKE_SESSIONS = "revoke_sessions"
    SET_METADATA = "set_metadata"
    SET_ROLE = "set_role"
    UNBAN = "unban"


def scope_of(action: Action) -> Scope:
    """Return the scope that the act needs, done to one user or many."""
    return Scope.SESSIONS_WRITE if action is Action.REVOKE_SESSIONS else Scope.USERS_WRITE


class Parameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """How it is done. `reason` goes with every action, each of the others with those that it is described for."""

    reason: Reason | None = None
    revoke_sessions: (
        Annotated[bool, Meta(description="disable (default true), password_reset (default false): end sessions")] | None
    ) = None
    require: (
        Annotated[bool, Meta(description="password_reset (default true): the old password is good no more")] | None
    ) = None
    expires_in: Annotated[BanDuration, Meta(description="ban: how long, from when the job starts")] | None = None
    expires_at: Annotated[Moment, Meta(description="ban: until when")] | None = None
    role: Annotated[RoleName, Meta(description="set_role: the new role")] | None = None
    public_metadata: Annotated[Metadata, Meta(description="set_metadata: merged with what is there")] | None = None
    private_metadata: Annotated[Metadata, Meta(description="set_metadata: merged with what is there")] | None = None


_GO_WITH: Final[dict[str, frozenset[Action]]] = {
    "revoke_sessions": frozenset({Action.DISABLE, Action.PASSWORD_RESET}),
    "require": frozenset({Action.PASSWORD_RESET}),
    "expires_in": frozenset({Action.BAN}),
    "expires_at": frozenset({Action.BAN}),
    "role": frozenset({Action.SET_ROLE}),
    "public_metadata": frozenset({Action.SET_METADATA}),
    "private_metadata": frozenset({Action.SET_METADATA}),
}
NAMES_NOBODY: Final = ("revoke_sessions", "require", "role", "expires_in", "expires_at")
"""Parameters that may be kept and shown for as long as a job is."""


def _members(given: Mapping[str, object]) -> Mapping[str, Any] | None:
    """Return the parameters by name, or None when nothing is known of them."""
    parameters = given["parameters"]
    if parameters is FAULTY or given["action"] is FAULTY:
        return None
    if isinstance(parameters, Parameters):
        return msgspec.structs.asdict(parameters)
    return cast("Mapping[str, Any]", parameters)


def parameters_fault(given: Mapping[str, object]) -> FieldError | None:
    """Say that a parameter does not go with the action, or is missing."""
    members, action = _members(given), given["action"]
    if members is None:
        return None
    for name, actions in _GO_WITH.items():
        if members.get(name) is not None and action not in actions:
            wanted = ", ".join(sorted(actions))
            return FieldError(f"parameters.{name}", FieldCode.INVALID, f"Goes with these actions only: {wanted}.")
    if action == Action.SET_ROLE and members.get("role") is None:
        return FieldError("parameters.role", FieldCode.REQUIRED, "Say which role is to be given.")
    if action == Action.SET_METADATA and not any(members.get(f"{each}_metadata") for each in ("public", "private")):
        message = "Say what is to be merged into public_metadata or private_metadata."
        return FieldError("parameters.public_metadata", FieldCode.REQUIRED, message)
    if members.get("expires_in") is not None and members.get("expires_at") is not None:
        return FieldError("parameters.expires_at", FieldCode.INVALID, "Send expires_in or expires_at, not both.")
    return None


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan was made from, kept sealed. Without query and filters its users were named."""

    query: str | None
    filters: SearchFilters | None
    parameters: Parameters

    @property
    def is_by_ids(self) -> bool:
        """Whether the users were named."""
        return self.query is None and self.filters is None


class Target(msgspec.Struct, frozen=True):
    """An act and whom it is meant for; `manages`: also users whose role is privileged."""

    action: Action
    selection: Selection
    manages: bool


class Exclusion(StrEnum):
    """Why a plan leaves a user out."""

    ALREADY_SO = "already_so"
    DELETED = "deleted"
    NO_SUCH_USER = "no_such_user"
    ROLE_PRIVILEGED = "role_privileged"
    TOO_LARGE = "too_large"


class Judged(msgspec.Struct):
    """Of users who were found: to whom it would be done, and who is left out."""

    matched: int = 0
    chosen: list[str] = []
    excluded: dict[Exclusion, list[str]] = {}

    def add(self, other: "Judged") -> None:
        """Take in what came of other users."""
        self.matched += other.matched
        self.chosen += other.chosen
        for reason, user_ids in other.excluded.items():
            self.excluded.setdefault(reason, []).extend(user_ids)
