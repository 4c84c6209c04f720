"""What ending sessions answers."""

import msgspec


class AccessStopped(msgspec.Struct, frozen=True):
    """What an act on a user ended.

    `residual_seconds` is the longest time that a token already given out still passes a verifier which checks
    signatures only; our own endpoints and followers of the revocation feed refuse it at once.
    """

    sessions_revoked: int
    residual_seconds: int
