"""What is asked for and answered about second factors."""

import unicodedata
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from hellojohn_server.features.auth.schemas import GivenPassword
from hellojohn_server.features.mfa.schemas import FactorBody, FactorType, MfaCode
from hellojohn_server.features.mfa_sign_in.schemas import PasskeyChallenge
from hellojohn_server.features.users.schemas import Reason
from hellojohn_server.kit.error_codes import FieldCode
from hellojohn_server.kit.errors import FieldError
from hellojohn_server.kit.pagination import Pagination
from hellojohn_server.kit.routing import checked_by, checked_together
from hellojohn_server.kit.times import Timestamp


class EnrollableType(StrEnum):
    """The kinds of second factor that can be begun for somebody else."""

    TOTP = "totp"


def factor_name_fault(text: str) -> str | None:
    """Say what is wrong with the name of a factor."""
    if not text.strip() or any(unicodedata.category(character) == "Cc" for character in text):
        return "Must not be blank or hold control characters."
    return None


def one_proof_fault(given: Mapping[str, object]) -> FieldError | None:
    """Say that more than one proof is given."""
    if sum(given[name] is not None for name in ("password", "code", "passkey")) <= 1:
        return None
    return FieldError("code", FieldCode.INVALID, "Send the password, a code or a passkey, not several of them.")


FactorName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=100,
        description="how the user tells it from others",
        extra=checked_by(factor_name_fault),
    ),
]


class PasskeyProof(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What one of the user's passkeys answered to the options of /v1/auth/passkeys/options."""

    challenge_id: PasskeyChallenge
    credential: dict[str, Any]


@checked_together(one_proof_fault)
class ProofBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """That it is the user who asks: the password, a code of a second factor, or a passkey."""

    password: GivenPassword | None = None
    code: MfaCode | None = None
    passkey: PasskeyProof | None = None


@checked_together(one_proof_fault)
class EnrollOwnBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A second factor of one's own. Who has one already proves to be the user, by password, code or passkey."""

    type: FactorType
    name: FactorName | None = None
    password: GivenPassword | None = None
    code: MfaCode | None = None
    passkey: PasskeyProof | None = None


class EnrollUserBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A second factor of somebody else's, and why."""

    type: EnrollableType
    name: FactorName | None = None
    reason: Reason | None = None


def one_answer_fault(given: Mapping[str, object]) -> FieldError | None:
    """Say that there is neither a code nor a passkey, or both."""
    if (given["code"] is None) != (given["credential"] is None):
        return None
    return FieldError("code", FieldCode.REQUIRED, "Send the app's code, or what the browser made as credential.")


@checked_together(one_answer_fault)
class ConfirmOwnBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The code that the authenticator app shows now, or the credential that the browser made."""

    code: MfaCode | None = None
    credential: dict[str, Any] | None = None


class ConfirmBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The code that the authenticator app shows now."""

    code: MfaCode


class FactorListBody(msgspec.Struct, frozen=True, kw_only=True):
    """A user's second factors, the oldest first, and how many backup codes are left."""

    data: list[FactorBody]
    backup_codes_left: int
    pagination: Pagination


class EnrollmentBody(msgspec.Struct, frozen=True, kw_only=True):
    """A second factor that is yet to be confirmed, and what an authenticator app or the browser needs. Shown once."""

    id: str
    type: FactorType
    name: str | None
    created_at: Timestamp
    expires_at: Annotated[Timestamp, Meta(description="until when it can be confirmed")]
    secret: Annotated[str, Meta(description="for typing, in base 32")] | UnsetType = UNSET
    otpauth_uri: Annotated[str, Meta(description="for an app on the same device")] | UnsetType = UNSET
    qr_code: Annotated[str, Meta(description="the same as a picture: a data URI with an SVG")] | UnsetType = UNSET
    public_key: (
        Annotated[dict[str, Any], Meta(description="of a passkey: what navigator.credentials.create is given")]
        | UnsetType
    ) = UNSET


class ConfirmedFactorBody(msgspec.Struct, frozen=True, kw_only=True):
    """A second factor that is confirmed; with the first one, backup codes, shown once."""

    factor: FactorBody
    backup_codes: list[str] | UnsetType = UNSET


class BackupCodesBody(msgspec.Struct, frozen=True):
    """Ten codes, each good once in the place of a second factor's. Shown once; those from before are good no more."""

    backup_codes: list[str]


class Begun(msgspec.Struct, frozen=True):
    """A factor that was begun, with its secret open and the user's address, for whoever began it. Times in ms."""

    id: str
    type: FactorType
    name: str | None
    created_at: int
    secret: str
    user_id: str
    email: str
    known: tuple[str, ...] = ()
