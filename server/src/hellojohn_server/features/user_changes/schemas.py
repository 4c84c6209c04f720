"""What an undo needs of how a user was."""

from typing import Any, TypeAlias

import msgspec

Was: TypeAlias = list[Any] | dict[str, Any] | None
"""Values of a user's row before a change, as far as the change made others of them; each act has its form."""


class Mark(msgspec.Struct, frozen=True):
    """A user whom a job changed: the version that was then, and how the user was before."""

    user_id: str
    version: int
    was: Was
