"""What the second step of a sign-in is sent with."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from hellojohn_server.features.mfa.schemas import MfaCode

CODE_AMR: Final = ("pwd", "otp", "mfa")
"""A password, then a code (RFC 8176). A backup code is a one-time password as well."""


class VerifyMfaBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The challenge that came with mfa_required, and a code: of `factor_id` only, if that is given."""

    challenge_id: Annotated[str, Meta(min_length=1, max_length=64)]
    code: MfaCode
    factor_id: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
