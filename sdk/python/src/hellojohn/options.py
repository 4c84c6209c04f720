"""What each call can be told beside its own arguments, by keyword."""

from typing import TypedDict


class Options(TypedDict, total=False):
    """`timeout` in seconds for each attempt, and how often a failed call is sent again at most."""

    timeout: float
    max_retries: int


class ActingOptions(Options, total=False):
    """`acting_admin`: who is behind the key, in your own terms; kept in the audit log, never trusted."""

    acting_admin: str


class WriteOptions(Options, total=False):
    """`idempotency_key`: one of your own, to be sure that a call is executed once even if your process ends meanwhile.

    Without it each call makes one, and its retries carry it.
    """

    idempotency_key: str


class ActingWriteOptions(ActingOptions, WriteOptions, total=False):
    """The options of a write with a secret or a master key."""


class ChangeOptions(WriteOptions, total=False):
    """`if_match`: the version that you read. When the object has another by now, nothing is changed: 412."""

    if_match: int | str


class ActingChangeOptions(ActingWriteOptions, ChangeOptions, total=False):
    """The options of a change with a secret or a master key."""
