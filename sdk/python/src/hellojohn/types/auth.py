"""The types of `auth`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Required, TypedDict

import msgspec

from hellojohn.types.shared import OwnUser


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """The request was taken. It says nothing of whether anybody has the address."""

    accepted: bool = True


class EmailChange(msgspec.Struct, frozen=True, kw_only=True):
    """The same for every address: whether somebody has it is said to nobody."""

    accepted: bool = True


class OwnSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session as its user sees it. `current` is the one that asks."""

    id: str
    current: bool
    ip_address: str | None
    user_agent: str | None
    created_at: datetime
    last_refreshed_at: datetime | None
    expires_at: datetime


class PasskeyProofInput(TypedDict, total=False):
    """What one of the user's passkeys answered to the options of /v1/auth/passkeys/options.

    `challenge_id`: the challenge_id of the options.
    """

    challenge_id: Required[str]
    credential: Required[Mapping[str, Any]]


class PasskeySignIn(msgspec.Struct, frozen=True, kw_only=True):
    """What `navigator.credentials.get` is given to sign in, and what its answer is sent with, until when."""

    challenge_id: str
    public_key: dict[str, Any]
    expires_at: datetime


class RequestOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What `navigator.credentials.get` is given, as PublicKeyCredential.parseRequestOptionsFromJSON reads it."""

    public_key: dict[str, Any]


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """A session's tokens. The refresh token is good once, and gives the next two.

    `organization_id` is there when the user is active in an organization.

    `mfa_enrollment_required`: true when nothing is open but enrolling a second factor; else absent.
    """

    id: str
    access_token: str
    refresh_token: str
    access_token_expires_at: datetime
    refresh_token_expires_at: datetime
    mfa_enrollment_required: bool | None = None
    organization_id: str | None = None


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """A user who is signed in, and the session."""

    user: OwnUser
    session: Tokens
