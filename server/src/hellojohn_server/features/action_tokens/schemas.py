"""What a mailed link may be for, how long it is good, and its secret as a row."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from hellojohn_server.kit.action_tokens import ActionToken


class ActionPurpose(StrEnum):
    """What a link is for. One for another purpose opens nothing."""

    EMAIL_CHANGE = "email_change"
    EMAIL_VERIFICATION = "email_verification"
    INVITATION = "invitation"
    MAGIC_LINK = "magic_link"
    PASSWORD_RESET = "password_reset"


LIFETIME_SECONDS: Final[Mapping[ActionPurpose, int]] = {
    ActionPurpose.EMAIL_CHANGE: 86_400,
    ActionPurpose.EMAIL_VERIFICATION: 86_400,
    ActionPurpose.INVITATION: 7 * 86_400,
    ActionPurpose.MAGIC_LINK: 900,
    ActionPurpose.PASSWORD_RESET: 3_600,
}
"""How long a link is good."""
LIFETIME_WORDS: Final[Mapping[ActionPurpose, str]] = {
    ActionPurpose.EMAIL_CHANGE: "24 hours",
    ActionPurpose.EMAIL_VERIFICATION: "24 hours",
    ActionPurpose.INVITATION: "7 days",
    ActionPurpose.MAGIC_LINK: "15 minutes",
    ActionPurpose.PASSWORD_RESET: "1 hour",
}
"""The same in a mail."""
PAGE_PATHS: Final[Mapping[ActionPurpose, str]] = {
    ActionPurpose.EMAIL_CHANGE: "/account/verify-email",
    ActionPurpose.EMAIL_VERIFICATION: "/account/verify-email",
    ActionPurpose.INVITATION: "/account/accept-invitation",
    ActionPurpose.PASSWORD_RESET: "/account/reset-password",
}
"""Where the built-in pages are. A link to sign in has none: only the application can take a session."""

EVERY_PURPOSE: Final = tuple(ActionPurpose)
ENDING_WITH_PASSWORD: Final = (
    ActionPurpose.EMAIL_CHANGE,
    ActionPurpose.INVITATION,
    ActionPurpose.MAGIC_LINK,
    ActionPurpose.PASSWORD_RESET,
)
"""The links that let somebody in, or nearly, or for which the password was given.

They die when it is changed, set or reset.
"""

LinkToken = Annotated[str, Meta(min_length=1, max_length=200, description="the secret of the link, act_...")]


class Grant(msgspec.Struct, frozen=True):
    """A new secret, for whom, and the compared form of the address with which it is good: mostly it is mailed there.

    `sealed_email`: the address that it is mailed to, and makes the user's.
    """

    token: ActionToken
    user_id: str
    address_key: str
    sealed_email: bytes | None = None


class Link(msgspec.Struct, frozen=True):
    """A link that is ready to be mailed: its secret, and what the mail says of it."""

    purpose: ActionPurpose
    token: ActionToken
    values: Mapping[str, str]


class ActionTokenRow(msgspec.Struct, frozen=True):
    """A row of action_tokens, without the hash of its secret. Times in milliseconds.

    `address_hash` is the keyed hash of the address that the user had when the link was mailed: with another it is no
    good. `sealed_email` is the address that it makes the user's, if it does.
    """

    id: str
    purpose: str
    user_id: str
    address_hash: str
    created_at: int
    expires_at: int
    consumed_at: int | None = None
    sealed_email: bytes | None = None
