"""The types of `revocations`."""

from datetime import datetime
from typing import Literal, TypeAlias

import msgspec

from hellojohn._known import Known

RevocationType: TypeAlias = Literal["session", "signing_key", "tenant", "user"]
"""What a verifier refuses: the tokens of a session, those signed with a key, a tenant's, a user's older ones."""


class Revocation(msgspec.Struct, frozen=True, kw_only=True):
    """What is refused. After `forget_at` no such token can be valid.

    With session `revoked_at` may be yet to come: its tokens are good until then.

    `session_id`: session: its tokens.
    `user_id`: user: the tokens with a gen below gen_below.
    `kid`: signing_key: the tokens signed with it.
    `tenant_id`: tenant: its tokens issued by revoked_at.
    """

    type: Known[RevocationType]
    session_id: str | None = None
    user_id: str | None = None
    gen_below: int | None = None
    kid: str | None = None
    tenant_id: str | None = None
    revoked_at: datetime
    forget_at: datetime


class RevocationList(msgspec.Struct, frozen=True, kw_only=True):
    """Some of the feed. `next_cursor` is always there: what is revoked from now on comes after it."""

    data: list[Revocation]
    has_more: bool
    next_cursor: str
