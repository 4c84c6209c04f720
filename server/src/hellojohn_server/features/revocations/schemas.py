"""What is asked of the feed and shown of it, and the place in it that a cursor holds."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from hellojohn_server.features.revocation_log.schemas import Revocation, RevocationType
from hellojohn_server.kit.times import Timestamp, format_time

Since = Annotated[str, Meta(min_length=1, max_length=16_384, description="next_cursor of the answer before")]


class Place(msgspec.Struct, frozen=True):
    """How far one store's rows were read. `since` is a mark of the store: all that was committed by it has been read.

    None is the beginning. While what came between that mark and `until` is read page by page, `xid` and `seq` are of
    the last row of the page.
    """

    since: str | None = None
    until: str | None = None
    xid: str = "0"
    seq: int = 0


class Places(msgspec.Struct, frozen=True):
    """How far a feed was read: in the control store, where keys and tenants are withdrawn, and in the tenant's."""

    control: Place = Place()
    tenant: Place = Place()


class Chunk(msgspec.Struct, frozen=True):
    """Some revocations in the order in which they are shown, where to go on, and whether there are more by now."""

    revocations: Sequence[Revocation]
    places: Places
    has_more: bool


class ListRevocationsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """After which cursor, and how many at once. Without one: all that cannot be forgotten yet."""

    since: Since | None = None
    limit: Annotated[int, Meta(ge=1, le=1000, description="Entries per answer")] = 1000


class RevocationBody(msgspec.Struct, frozen=True, kw_only=True):
    """What is refused. After `forget_at` no such token can be valid.

    With session `revoked_at` may be yet to come: its tokens are good until then.
    """

    type: RevocationType
    session_id: Annotated[str, Meta(description="session: its tokens")] | UnsetType = UNSET
    user_id: Annotated[str, Meta(description="user: the tokens with a gen below gen_below")] | UnsetType = UNSET
    gen_below: int | UnsetType = UNSET
    kid: Annotated[str, Meta(description="signing_key: the tokens signed with it")] | UnsetType = UNSET
    tenant_id: Annotated[str, Meta(description="tenant: its tokens issued by revoked_at")] | UnsetType = UNSET
    revoked_at: Timestamp
    forget_at: Timestamp


class RevocationListBody(msgspec.Struct, frozen=True):
    """Some of the feed. `next_cursor` is always there: what is revoked from now on comes after it."""

    data: list[RevocationBody]
    has_more: bool
    next_cursor: str


def revocation_body(one: Revocation) -> RevocationBody:
    """Return what is shown of a revocation."""
    kind, subject = one.type, one.subject_id
    return RevocationBody(
        type=kind,
        session_id=subject if kind is RevocationType.SESSION else UNSET,
        user_id=subject if kind is RevocationType.USER else UNSET,
        gen_below=UNSET if one.gen_below is None else one.gen_below,
        kid=subject if kind is RevocationType.SIGNING_KEY else UNSET,
        tenant_id=subject if kind is RevocationType.TENANT else UNSET,
        revoked_at=format_time(one.revoked_at),
        forget_at=format_time(one.forget_at),
    )
