"""What is taken of users that are to be inserted."""

from collections.abc import Mapping

import msgspec


class Taken(msgspec.Struct, frozen=True):
    """What a tenant's users have already of what is unique, each with the id of who has it; nothing else is named.

    Users in the recycle bin have theirs still. `closed` are addresses that were banned with a user who was erased.
    """

    ids: frozenset[str]
    emails: Mapping[str, str]
    usernames: Mapping[str, str]
    external_ids: Mapping[str, str]
    closed: frozenset[str]
