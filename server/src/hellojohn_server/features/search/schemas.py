"""What is asked of the list of users and of the search, and what they answer."""

from collections.abc import Iterator
from enum import Enum, StrEnum
from typing import Annotated, Final

import msgspec

from hellojohn_server.features.users.schemas import User, UserBody, UserStatus
from hellojohn_server.kit.pagination import Cursor, Limit, Pagination
from hellojohn_server.kit.routing import checked_by
from hellojohn_server.kit.search_query import MAX_QUERY_LENGTH, SearchWords, indexed_part, query_fault
from hellojohn_server.kit.times import Moment

DEFAULT_LIMIT: Final = 20


class SortField(StrEnum):
    """What users can be sorted by."""

    CREATED_AT = "created_at"
    EMAIL = "email"
    LAST_SIGN_IN_AT = "last_sign_in_at"
    NAME = "name"


class Direction(StrEnum):
    """Which end comes first. Users without the value come last in both."""

    ASCENDING = "asc"
    DESCENDING = "desc"


_TIMES: Final = frozenset({SortField.CREATED_AT, SortField.LAST_SIGN_IN_AT})


def default_direction(field: SortField) -> Direction:
    """Return the direction when none is asked for: the newest first for times, A first for text."""
    return Direction.DESCENDING if field in _TIMES else Direction.ASCENDING


EmailFilter = Annotated[
    str, msgspec.Meta(min_length=1, max_length=320, description="The whole address; case does not matter")
]
ExternalIdFilter = Annotated[str, msgspec.Meta(min_length=1, max_length=255, description="Your own id of the user")]
RoleFilter = Annotated[str, msgspec.Meta(min_length=1, max_length=64, description="The name of the user's role")]
OrganizationFilter = Annotated[
    str, msgspec.Meta(min_length=1, max_length=64, description="The id of an organization the user is a member of")
]
QueryText = Annotated[
    str,
    msgspec.Meta(
        max_length=MAX_QUERY_LENGTH,
        extra=checked_by(query_fault),
        description=(
            "Words that must all occur in name, e-mail, username, phone or id, without regard to case and accents: "
            "one of three characters and more anywhere, a shorter one at the start of a word"
        ),
    ),
]
After = Annotated[Moment, msgspec.Meta(description="Strictly later than this time")]
Before = Annotated[Moment, msgspec.Meta(description="Strictly earlier than this time")]


class ListUsersQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The parameters of GET /v1/users."""

    limit: Limit = DEFAULT_LIMIT
    cursor: Cursor | None = None
    order_by: SortField = SortField.CREATED_AT
    direction: Direction | None = None
    email: EmailFilter | None = None
    external_id: ExternalIdFilter | None = None
    status: UserStatus | None = None
    role: RoleFilter | None = None
    disabled: bool | None = None
    mfa_enrolled: bool | None = None
    email_verified: bool | None = None
    organization_id: OrganizationFilter | None = None
    created_after: After | None = None
    created_before: Before | None = None


class SearchFilters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The filters of a search. One that is absent or null does not filter."""

    mfa_enrolled: bool | None = None
    disabled: bool | None = None
    created_after: After | None = None
    created_before: Before | None = None
    organization_id: OrganizationFilter | None = None
    role: RoleFilter | None = None
    status: UserStatus | None = None
    email_verified: bool | None = None
    last_active_after: After | None = None
    last_active_before: Before | None = None


class SearchSort(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The order of a search. Without a direction: desc for times, asc for text."""

    field: SortField = SortField.CREATED_AT
    direction: Direction | None = None


class SearchUsersRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The body of POST /v1/admin/users/search. Without a query the filters alone select."""

    query: QueryText | None = None
    filters: SearchFilters = SearchFilters()
    sort: SearchSort = SearchSort()
    limit: Limit = DEFAULT_LIMIT
    cursor: Cursor | None = None


class UserListBody(msgspec.Struct, frozen=True):
    """A page of users."""

    data: list[UserBody]
    pagination: Pagination


class UserFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which users are meant; times in milliseconds, `after` and `before` exclusive. In the bin: only by status."""

    words: SearchWords = SearchWords()
    email_key: str | None = None
    external_id: str | None = None
    status: UserStatus | None = None
    role: str | None = None
    disabled: bool | None = None
    mfa_enrolled: bool | None = None
    email_verified: bool | None = None
    organization_id: str | None = None
    created_after: int | None = None
    created_before: int | None = None
    last_active_after: int | None = None
    last_active_before: int | None = None


class UserOrder(msgspec.Struct, frozen=True):
    """How they are sorted: by the value, users without it last, users with the same by id."""

    field: SortField
    direction: Direction


class Place(msgspec.Struct, frozen=True):
    """Where a page starts: after the user with this sort value (None: has none) and this id."""

    value: int | str | None
    id: str


class Match(msgspec.Struct, frozen=True):
    """A user who matches, as far as it can be told from it whom an act would change: fields of a user's row."""

    id: str
    role: str
    disabled: bool
    banned_at: int | None
    banned_until: int | None
    ban_reason: str | None
    deleted_at: int | None
    public_metadata: str = "{}"
    private_metadata: str = "{}"


class Found(msgspec.Struct, frozen=True):
    """A page of users, the place after it, the number of all that match, and whether more follow.

    `total` comes from a counter (`is_counted`), or it is exact up to the cap and one more when there are more.
    """

    users: list[User]
    last: Place | None
    total: int
    is_counted: bool
    has_more: bool


class Extent(Enum):
    """What is read of users who match: their ids, the fields of a Match, or these and the metadata."""

    IDS = "ids"
    FACTS = "facts"
    METADATA = "metadata"


class Condition(StrEnum):
    """One thing that is asked of a user."""

    ACTIVE = "active"
    BANNED = "banned"
    CREATED_AFTER = "created_after"
    CREATED_BEFORE = "created_before"
    DELETED = "deleted"
    DISABLED = "disabled"
    EMAIL = "email"
    EMAIL_NOT_VERIFIED = "email_not_verified"
    EMAIL_VERIFIED = "email_verified"
    ENABLED = "enabled"
    EXTERNAL_ID = "external_id"
    LAST_ACTIVE_AFTER = "last_active_after"
    LAST_ACTIVE_BEFORE = "last_active_before"
    LOCKED = "locked"
    MFA_ENROLLED = "mfa_enrolled"
    MFA_NOT_ENROLLED = "mfa_not_enrolled"
    NOT_DELETED = "not_deleted"
    ORGANIZATION = "organization"
    PENDING = "pending"
    ROLE = "role"
    STATUS_DISABLED = "status_disabled"


class Counting(Enum):
    """Where a total comes from: a counter, that of all users less one, the rows up to the cap, or there is none."""

    COUNTER = "counter"
    COMPLEMENT = "complement"
    NONE = "none"
    ROWS = "rows"


class Start(Enum):
    """Where a page starts: at the top, after a user with a sort value, or after one without (they come last)."""

    TOP = "top"
    VALUES = "values"
    NULLS = "nulls"


class Shape(msgspec.Struct, frozen=True):
    """All of a question that its statement depends on; `words` and `starts` are how many there are.

    `is_compared`: SQLite's text index cannot tell some of the characters apart, so what it finds is compared.
    `is_shortened`: a few are found with less than all of every word, and compared.
    """

    field: SortField
    descending: bool
    start: Start
    counting: Counting
    conditions: tuple[Condition, ...]
    words: int = 0
    starts: int = 0
    is_compared: bool = False
    is_shortened: bool = False


_EVERYBODY: Final = UserFilter()
_STATUS: Final = {
    UserStatus.ACTIVE: Condition.ACTIVE,
    UserStatus.BANNED: Condition.BANNED,
    UserStatus.DELETED: Condition.DELETED,
    UserStatus.DISABLED: Condition.STATUS_DISABLED,
    UserStatus.LOCKED: Condition.LOCKED,
    UserStatus.PENDING: Condition.PENDING,
}


def conditions_of(wanted: UserFilter) -> Iterator[Condition]:
    """Yield what is asked of a user, but for words."""
    yield Condition.NOT_DELETED if wanted.status is None else _STATUS[wanted.status]
    for asked, yes, no in (
        (wanted.disabled, Condition.DISABLED, Condition.ENABLED),
        (wanted.mfa_enrolled, Condition.MFA_ENROLLED, Condition.MFA_NOT_ENROLLED),
        (wanted.email_verified, Condition.EMAIL_VERIFIED, Condition.EMAIL_NOT_VERIFIED),
    ):
        if asked is not None:
            yield yes if asked else no
    for value, condition in (
        (wanted.email_key, Condition.EMAIL),
        (wanted.external_id, Condition.EXTERNAL_ID),
        (wanted.role, Condition.ROLE),
        (wanted.organization_id, Condition.ORGANIZATION),
        (wanted.created_after, Condition.CREATED_AFTER),
        (wanted.created_before, Condition.CREATED_BEFORE),
        (wanted.last_active_after, Condition.LAST_ACTIVE_AFTER),
        (wanted.last_active_before, Condition.LAST_ACTIVE_BEFORE),
    ):
        if value is not None:
            yield condition


def counter_of(wanted: UserFilter) -> tuple[str, Counting]:
    """Return the facet that counts exactly what is wanted, if one does."""
    if wanted == _EVERYBODY:
        return "total", Counting.COUNTER
    asked = {
        name: value
        for name, value in msgspec.structs.asdict(wanted).items()
        if value is not None and value != SearchWords()
    }
    name, value = asked.popitem()
    if asked:
        return "", Counting.ROWS
    if name == "role":
        return f"role:{value}", Counting.COUNTER
    if name in {"disabled", "email_verified", "mfa_enrolled"}:
        return name, Counting.COUNTER if value else Counting.COMPLEMENT
    return "", Counting.ROWS


_ALIKE: Final = frozenset("\N{REPLACEMENT CHARACTER}\ufffe\uffff")
"""Characters that are one to FTS5's trigram tokenizer."""


def shape_of(wanted: UserFilter, order: UserOrder, place: Place | None, counting: Counting) -> Shape:
    """Return the shape of a question."""
    start = Start.TOP
    if place is not None:
        start = Start.NULLS if place.value is None else Start.VALUES
    return Shape(
        field=order.field,
        descending=order.direction is Direction.DESCENDING,
        start=start,
        counting=counting,
        conditions=tuple(conditions_of(wanted)),
        words=len(wanted.words.anywhere),
        starts=len(wanted.words.starts),
        is_compared=any(not _ALIKE.isdisjoint(word) for word in wanted.words.anywhere),
        is_shortened=any(indexed_part(word) != word for word in wanted.words.anywhere),
    )


_STOPPED: Final = ("deleted", "banned", "disabled", "locked", "pending")
"""Each is what a user is only without those before it."""

MARKED: Final[dict[Condition, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    Condition.ACTIVE: ((), _STOPPED),
    Condition.BANNED: (("banned",), _STOPPED[:1]),
    Condition.DELETED: (("deleted",), ()),
    Condition.DISABLED: (("disabled",), ()),
    Condition.EMAIL_NOT_VERIFIED: (("unverified",), ()),
    Condition.EMAIL_VERIFIED: ((), ("unverified",)),
    Condition.ENABLED: ((), ("disabled",)),
    Condition.LOCKED: (("locked",), _STOPPED[:3]),
    Condition.MFA_ENROLLED: (("mfa",), ()),
    Condition.MFA_NOT_ENROLLED: ((), ("mfa",)),
    Condition.NOT_DELETED: ((), ("deleted",)),
    Condition.PENDING: (("pending",), _STOPPED[:4]),
    Condition.ROLE: (("role",), ()),
    Condition.STATUS_DISABLED: (("disabled",), _STOPPED[:2]),
}
"""Which marks a condition needs, and which it must not have."""

ACTIVITY: Final = frozenset({Condition.LAST_ACTIVE_AFTER, Condition.LAST_ACTIVE_BEFORE})
OF_THE_ROW: Final = ACTIVITY | {Condition.EMAIL, Condition.EXTERNAL_ID}
"""What only the row of a user tells, when nothing that knows it drives."""

# What can drive beside the text, about the most selective first. Of two that are asked the data decides.
DRIVERS: Final = {
    Condition.LOCKED: "locked",
    Condition.DELETED: "deleted",
    Condition.BANNED: "banned",
    Condition.PENDING: "pending",
    Condition.ROLE: "role",
    Condition.ORGANIZATION: "member",
    Condition.STATUS_DISABLED: "disabled",
    Condition.DISABLED: "disabled",
    Condition.EMAIL_NOT_VERIFIED: "unverified",
    Condition.MFA_ENROLLED: "mfa",
}
KNOWN_OF_MARKED: Final = (
    Condition.BANNED,
    Condition.CREATED_AFTER,
    Condition.CREATED_BEFORE,
    Condition.DELETED,
    Condition.DISABLED,
    Condition.EMAIL_NOT_VERIFIED,
    Condition.EMAIL_VERIFIED,
    Condition.ENABLED,
    Condition.LOCKED,
    Condition.MFA_ENROLLED,
    Condition.MFA_NOT_ENROLLED,
    Condition.NOT_DELETED,
    Condition.STATUS_DISABLED,
)
"""What the index of a mark tells of those who have it, as the columns are in it."""
KNOWN: Final = {"role": (Condition.DELETED, Condition.NOT_DELETED)}
"""The same of those that tell less: an index of everybody is to be short, and seldom written."""
BROAD: Final = frozenset({Condition.EMAIL_NOT_VERIFIED, Condition.MFA_ENROLLED})
"""What is no rival of a text, unless two are asked for together."""
DISABLING: Final = frozenset({Condition.DISABLED, Condition.STATUS_DISABLED})
SORT_COLUMN: Final = {
    SortField.CREATED_AT: "created_at",
    SortField.EMAIL: "email_key",
    SortField.LAST_SIGN_IN_AT: "last_sign_in_at",
    SortField.NAME: "name_key",
}
NULLABLE: Final = frozenset({SortField.LAST_SIGN_IN_AT, SortField.NAME})
UNIQUE: Final = (Condition.EMAIL, Condition.EXTERNAL_ID)
NEWEST_FIRST: Final = UserOrder(SortField.CREATED_AT, Direction.DESCENDING)
READ: Final = {
    Extent.IDS: ("id",),
    Extent.FACTS: Match.__struct_fields__[:-2],
    Extent.METADATA: Match.__struct_fields__,
}
"""The columns of each extent."""
