"""What signing in by a link takes."""

import msgspec

from hellojohn_server.features.action_tokens.schemas import LinkToken
from hellojohn_server.features.auth.schemas import GivenAddress


class RequestMagicLinkBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who wants to sign in."""

    email: GivenAddress


class VerifyMagicLinkBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The secret of the link."""

    token: LinkToken
