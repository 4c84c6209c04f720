"""Who may come in: what the integrations of all frameworks do."""

import asyncio
import re
from collections.abc import Collection
from typing import Any, Final

import msgspec

from hellojohn.verify import AsyncVerifier, InvalidToken, VerificationUnavailable, Verified, Verifier

_BEARER: Final = re.compile(r"Bearer +(\S+) *", re.IGNORECASE)
_MISSING: Final = "missing_token"
_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403
_UNAVAILABLE: Final = 503


class Requirements(msgspec.Struct, frozen=True):
    """What a route asks of whoever calls it, beside a good access token."""

    roles: frozenset[str] | None
    refuse_impersonated: bool
    refuse_read_only: bool


class Refusal(msgspec.Struct, frozen=True):
    """An answer that turns somebody away."""

    status: int
    code: str
    message: str

    @property
    def headers(self) -> dict[str, str]:
        """The challenge of RFC 6750 section 3.1: without a token no error is named."""
        if self.status != _UNAUTHORIZED:
            return {}
        return {"WWW-Authenticate": "Bearer" if self.code == _MISSING else 'Bearer error="invalid_token"'}

    @property
    def body(self) -> dict[str, Any]:
        """The body, of the same form as the API's errors."""
        return {"error": {"code": self.code, "message": self.message, "status": self.status}}


def requirements_of(
    role: str | Collection[str] | None, *, refuse_impersonated: bool, refuse_read_only: bool
) -> Requirements:
    """Return what a route was declared with; `role` is one or several of which any will do."""
    roles = None if role is None else frozenset([role] if isinstance(role, str) else role)
    return Requirements(roles, refuse_impersonated, refuse_read_only)


def admit(verifier: Verifier, authorization: str | None, requirements: Requirements) -> Verified | Refusal:
    """Return who presents an Authorization header, or the answer that turns them away."""
    token = _token_in(authorization)
    if token is None:
        return _without_token()
    try:
        return _judged(verifier.verify(token), requirements)
    except (InvalidToken, VerificationUnavailable) as error:
        return _refusal_for(error)


async def admit_async(
    verifier: AsyncVerifier | Verifier, authorization: str | None, requirements: Requirements
) -> Verified | Refusal:
    """Do the same beside an event loop."""
    if isinstance(verifier, Verifier):
        return await asyncio.to_thread(admit, verifier, authorization, requirements)
    token = _token_in(authorization)
    if token is None:
        return _without_token()
    try:
        return _judged(await verifier.verify(token), requirements)
    except (InvalidToken, VerificationUnavailable) as error:
        return _refusal_for(error)


def _token_in(authorization: str | None) -> str | None:
    found = _BEARER.fullmatch(authorization or "")
    return None if found is None else found[1]


def _without_token() -> Refusal:
    return Refusal(_UNAUTHORIZED, _MISSING, "An access token is needed.")


def _refusal_for(error: InvalidToken | VerificationUnavailable) -> Refusal:
    if isinstance(error, InvalidToken):
        return Refusal(_UNAUTHORIZED, error.code, str(error))
    return Refusal(_UNAVAILABLE, "verification_unavailable", str(error))


def _judged(verified: Verified, requirements: Requirements) -> Verified | Refusal:
    if requirements.roles is not None and verified.role not in requirements.roles:
        return Refusal(_FORBIDDEN, "insufficient_role", "Another role is needed.")
    if requirements.refuse_impersonated and verified.is_impersonated:
        return Refusal(_FORBIDDEN, "impersonation_forbidden", "Nobody may do this in the user's place.")
    if requirements.refuse_read_only and verified.read_only:
        return Refusal(_FORBIDDEN, "read_only", "This token only looks.")
    return verified
