"""Organizations and memberships as they are stored, as they are shown, and as they are asked for."""

import unicodedata
from typing import Annotated, Any, Final, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

from hellojohn_server.features.roles.schemas import OrganizationRole
from hellojohn_server.features.users.schemas import Metadata, Reason
from hellojohn_server.kit.pagination import Cursor, Limit, Pagination
from hellojohn_server.kit.routing import checked_by
from hellojohn_server.kit.text import fold, words
from hellojohn_server.kit.times import Timestamp, format_time

MAX_SLUG: Final = 63


class Organization(msgspec.Struct, frozen=True):
    """A row of organizations. Times in milliseconds, metadata as JSON text; `name_key` is the folded name."""

    id: str
    name: str
    created_at: int
    updated_at: int
    version: int
    slug: str
    name_key: str
    metadata: str = "{}"


class Membership(msgspec.Struct, frozen=True):
    """A row of memberships: a user in an organization, at most once."""

    organization_id: str
    user_id: str
    role: str
    created_at: int


class Member(msgspec.Struct, frozen=True):
    """A membership with what is shown of its user."""

    user_id: str
    email: str
    name: str | None
    role: str
    created_at: int


class Belonging(msgspec.Struct, frozen=True):
    """A membership with what is shown of its organization."""

    organization_id: str
    name: str
    slug: str
    role: str
    created_at: int


class Place(msgspec.Struct, frozen=True):
    """The organization that a user asks to be active in (None: none), and as what (None there: not a member)."""

    organization_id: str | None
    role: str | None = None


class OrganizationBody(msgspec.Struct, frozen=True, kw_only=True):
    """An organization."""

    id: str
    name: str
    slug: str
    metadata: dict[str, Any]
    created_at: Timestamp
    updated_at: Timestamp
    version: int


class OrganizationListBody(msgspec.Struct, frozen=True):
    """Organizations by name."""

    data: list[OrganizationBody]
    pagination: Pagination


class MemberBody(msgspec.Struct, frozen=True, kw_only=True):
    """A member of an organization."""

    user_id: str
    email: str
    name: str | None
    role: str
    joined_at: Timestamp


class MemberListBody(msgspec.Struct, frozen=True):
    """Members, in the order in which the users were made."""

    data: list[MemberBody]
    pagination: Pagination


class BelongingBody(msgspec.Struct, frozen=True, kw_only=True):
    """An organization that a user is a member of, and as what."""

    id: str
    name: str
    slug: str
    role: str
    joined_at: Timestamp


class BelongingListBody(msgspec.Struct, frozen=True):
    """The organizations of a user, in the order in which they were made."""

    data: list[BelongingBody]
    pagination: Pagination


def organization_name_fault(text: str) -> str | None:
    """Say what is wrong with an organization's name."""
    if not text.strip():
        return "Must not be blank."
    if any(unicodedata.category(character) == "Cc" for character in text):
        return "Must not hold control characters."
    return None


OrganizationName: TypeAlias = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=200,
        description="a name of 1 to 200 characters",
        extra=checked_by(organization_name_fault),
    ),
]
Slug: TypeAlias = Annotated[
    str,
    Meta(
        max_length=MAX_SLUG,
        pattern=r"^[a-z0-9]+(?:-[a-z0-9]+)*$(?!\n)",
        description="1 to 63 of a-z 0-9 and single - between; unique in the tenant",
    ),
]
MemberRole: TypeAlias = Annotated[
    str,
    Meta(min_length=1, max_length=64, description="owner, admin, member, or a role with scope organization"),
]


class ListOrganizationsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which organizations, and which page of them."""

    limit: Limit = 20
    cursor: Cursor | None = None
    query: Annotated[str, Meta(max_length=200, description="The start of the name, without regard to case")] | None = (
        None
    )


class ListMembersQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which members, and which page of them."""

    limit: Limit = 20
    cursor: Cursor | None = None
    role: MemberRole | None = None


class ListBelongingsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which page of a user's organizations."""

    limit: Limit = 20
    cursor: Cursor | None = None


class CreateOrganizationBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An organization to make. Without a slug it gets one from its name."""

    name: OrganizationName
    slug: Slug | None = None
    metadata: Metadata = {}


class UpdateOrganizationBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to change of an organization; what is absent stays. Metadata is merged (RFC 7396): null removes a key."""

    name: OrganizationName | UnsetType = UNSET
    slug: Slug | UnsetType = UNSET
    metadata: Metadata | UnsetType = UNSET


class AddMemberBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who is to be a member, and as what."""

    user_id: Annotated[str, Meta(description="the id of a user")]
    role: MemberRole = OrganizationRole.MEMBER.value
    reason: Reason | None = None


class UpdateMemberBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """As what a member is to be."""

    role: MemberRole
    reason: Reason | None = None


class RemoveMemberBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Why."""

    reason: Reason | None = None


def slug_of(name: str, organization_id: str, *, is_taken: bool = False) -> str:
    """Return a slug for a name; with the end of the id in it when the one of the name is taken or there is none."""
    ascii_words = [word for word in words(fold(name)) if word.isascii()]
    end = organization_id[-8:].lower()
    if not ascii_words:
        return f"org-{end}"
    slug = "-".join(ascii_words)
    return f"{slug[: MAX_SLUG - len(end) - 1].rstrip('-')}-{end}" if is_taken else slug[:MAX_SLUG].rstrip("-")


def organization_body(organization: Organization) -> OrganizationBody:
    """Return what is shown of an organization."""
    return OrganizationBody(
        id=organization.id,
        name=organization.name,
        slug=organization.slug,
        metadata=msgspec.json.decode(organization.metadata),
        created_at=format_time(organization.created_at),
        updated_at=format_time(organization.updated_at),
        version=organization.version,
    )


def member_body(member: Member) -> MemberBody:
    """Return what is shown of a member."""
    return MemberBody(
        user_id=member.user_id,
        email=member.email,
        name=member.name,
        role=member.role,
        joined_at=format_time(member.created_at),
    )


def belonging_body(belonging: Belonging) -> BelongingBody:
    """Return what is shown of an organization to, or of, one of its members."""
    return BelongingBody(
        id=belonging.organization_id,
        name=belonging.name,
        slug=belonging.slug,
        role=belonging.role,
        joined_at=format_time(belonging.created_at),
    )
