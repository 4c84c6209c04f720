"""What is wrong with counters."""

import msgspec


class WrongCounter(msgspec.Struct, frozen=True):
    """A counter of a tenant, what it says, and how many users there are of what it counts."""

    facet: str
    kept: int
    counted: int
