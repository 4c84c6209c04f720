"""What the second step of a sign-in is sent with."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from hellojohn_server.features.mfa.schemas import MfaCode
from hellojohn_server.kit.error_codes import FieldCode
from hellojohn_server.kit.errors import FieldError
from hellojohn_server.kit.routing import checked_together
from hellojohn_server.kit.times import Timestamp

PasskeyChallenge = Annotated[str, Meta(min_length=1, max_length=200, description="the challenge_id of the options")]


def one_answer_fault(given: Mapping[str, object]) -> FieldError | None:
    """Say that there is neither a code nor a passkey, or both."""
    if (given["code"] is None) != (given["credential"] is None):
        return None
    return FieldError("code", FieldCode.REQUIRED, "Send a code, or what a passkey answered as credential.")


class PasskeyOptionsBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The challenge that came with mfa_required."""

    challenge_id: Annotated[str, Meta(min_length=1, max_length=64)]


class RequestOptionsBody(msgspec.Struct, frozen=True):
    """What `navigator.credentials.get` is given, as PublicKeyCredential.parseRequestOptionsFromJSON reads it."""

    public_key: dict[str, Any]


class PasskeySignInBody(msgspec.Struct, frozen=True):
    """What `navigator.credentials.get` is given to sign in, and what its answer is sent with, until when."""

    challenge_id: str
    public_key: dict[str, Any]
    expires_at: Timestamp


class SignInWithPasskeyBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the browser answered to the options of this challenge."""

    challenge_id: PasskeyChallenge
    credential: dict[str, Any]


@checked_together(one_answer_fault)
class VerifyMfaBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The challenge that came with mfa_required, and a code (of `factor_id` only, if given) or a passkey's answer.

    A backup code is a one-time password as well.
    """

    challenge_id: Annotated[str, Meta(min_length=1, max_length=64)]
    code: MfaCode | None = None
    credential: dict[str, Any] | None = None
    factor_id: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
