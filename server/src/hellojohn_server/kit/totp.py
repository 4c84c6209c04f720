"""Time-based one-time passwords (RFC 6238): six digits, SHA-1, thirty seconds, as authenticator apps make them."""

from typing import Final

import segno
from pyotp import random_base32
from pyotp.totp import TOTP
from pyotp.utils import strings_equal

STEP_SECONDS: Final = 30
DIGITS: Final = 6
_STEPS_APART: Final = (0, -1, 1)
"""A clock may be a step behind or ahead (RFC 6238 section 5.2)."""


def make_totp_secret() -> str:
    """Return 160 random bits in base 32 (RFC 4226 section 4)."""
    return random_base32()


def matching_step(secret: str, code: str, now_ms: int) -> int | None:
    """Return the time step that `code` is of: that of `now_ms` or one beside it; None when it is of none."""
    now = now_ms // (STEP_SECONDS * 1000)
    totp = TOTP(secret, digits=DIGITS, interval=STEP_SECONDS)
    found = [now + apart for apart in _STEPS_APART if strings_equal(totp.generate_otp(now + apart), code)]
    return found[0] if found else None


def otpauth_uri(secret: str, account: str, issuer: str) -> str:
    """Return what an authenticator app is given: an otpauth URI that names the account and whose it is."""
    return TOTP(secret, digits=DIGITS, interval=STEP_SECONDS).provisioning_uri(name=account, issuer_name=issuer)


def qr_data_uri(text: str) -> str:
    """Return `text` as a QR code: an SVG image in a data URI, dark on white whatever is behind it."""
    uri: str = segno.make(text, error="m", micro=False).svg_data_uri(scale=4, light="white")  # pyright: ignore[reportUnknownMemberType] - segno leaves arguments open
    return uri
