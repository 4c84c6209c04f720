"""What mailed links take and answer."""

import msgspec

from hellojohn_server.features.action_tokens.schemas import LinkToken


class LinkQueuedBody(msgspec.Struct, frozen=True):
    """A link is on its way."""

    email_queued: bool


class VerifyEmailBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The secret of the link."""

    token: LinkToken
