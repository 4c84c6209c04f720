"""Access tokens verified where they come in, and refused within a second of the act that stopped their access.

It needs `hellojohn[verify]`.
"""

from hellojohn.verify._async_verifier import AsyncVerifier
from hellojohn.verify._settings import OnStale
from hellojohn.verify._tokens import InvalidToken, VerificationUnavailable, Verified
from hellojohn.verify._verifier import Verifier

__all__ = ["AsyncVerifier", "InvalidToken", "OnStale", "VerificationUnavailable", "Verified", "Verifier"]
