"""What a verifier is told."""

from typing import Final, Literal, TypeAlias

import msgspec

from hellojohn._settings import base_url_of, secret_key_of
from hellojohn.errors import MissingCredential
from hellojohn.verify._tokens import Expected

OnStale: TypeAlias = Literal["check_remote", "fail_closed", "fail_open"]
"""What becomes of a token when it is not known what was revoked: the API is asked, it is refused, it is let in."""

STALE_SECONDS: Final = 3.0


class VerifierSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of a verifier. Its text shows no secret."""

    base_url: str
    secret_key: str | None
    expected: Expected
    follows: bool
    stale_after: float
    on_stale: OnStale
    max_entries: int

    def __repr__(self) -> str:
        return f"VerifierSettings(base_url={self.base_url!r}, expected={self.expected!r})"


def settings_of(  # noqa: PLR0913 - what a verifier can be told, each by name
    *,
    tenant_id: str,
    issuer: str | None,
    base_url: str | None,
    secret_key: str | None,
    revocations: bool,
    stale_after: float,
    on_stale: OnStale,
    max_entries: int,
) -> VerifierSettings:
    """Return the settings that a verifier was given; MissingCredential when it is to follow the feed without a key."""
    url, key = base_url_of(base_url), secret_key_of(secret_key)
    if revocations and key is None:
        raise MissingCredential(
            "To follow what is revoked the verifier needs a secret key with the scopes revocations:read and"
            " sessions:read: Verifier(secret_key=...). With revocations=False it judges by signature and time."
        )
    return VerifierSettings(
        base_url=url,
        secret_key=key,
        expected=Expected((issuer or url).rstrip("/"), tenant_id),
        follows=revocations,
        stale_after=stale_after,
        on_stale=on_stale,
        max_entries=max_entries,
    )
