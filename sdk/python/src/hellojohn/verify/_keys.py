"""The keys that tokens are signed with (RFC 7517): kept, and fetched anew when that may help."""

import base64
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from hellojohn.types import JsonWebKey, JsonWebKeySet

KEPT_SECONDS: Final = 900.0
"""For how long the set is used without asking again."""
UNKNOWN_SECONDS: Final = 60.0
"""How often at most the set is fetched because a token names a key that is not in it."""
USABLE_SECONDS: Final = 3600.0
"""For how long the set is used when it cannot be fetched again."""
FAILED_SECONDS: Final = 5.0
"""How long after a failure it is tried again."""


class Keys:
    """The keys by id. Times are of a clock that only goes forward, in seconds."""

    def __init__(self) -> None:
        self._keys: dict[str, Ed25519PublicKey] = {}
        self._fetched_at: float | None = None
        self._asked_for_unknown_at: float | None = None
        self._failed_at: float | None = None

    def get(self, kid: str) -> Ed25519PublicKey | None:
        """Return a key; None when it is not in the set."""
        return self._keys.get(kid)

    def is_usable(self, now: float) -> bool:
        """Whether there is a set that is not too old to judge by."""
        return self._fetched_at is not None and now - self._fetched_at < USABLE_SECONDS

    def needs_fetch(self, kid: str, now: float) -> bool:
        """Whether the set is to be fetched before a token of this key is judged."""
        if self._failed_at is not None and now - self._failed_at < FAILED_SECONDS:
            return False
        if self._fetched_at is None or now - self._fetched_at >= KEPT_SECONDS:
            return True
        if kid in self._keys:
            return False
        return self._asked_for_unknown_at is None or now - self._asked_for_unknown_at >= UNKNOWN_SECONDS

    def note_fetched(self, found: JsonWebKeySet, kid: str, now: float) -> None:
        """Take in a set that was fetched for a token of this key."""
        self._keys = {key.kid: _public_key(key) for key in found.keys if (key.kty, key.crv) == ("OKP", "Ed25519")}
        self._fetched_at, self._failed_at = now, None
        if kid not in self._keys:
            self._asked_for_unknown_at = now

    def note_failed(self, now: float) -> None:
        """Note that the set could not be fetched."""
        self._failed_at = now


def _public_key(key: JsonWebKey) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(key.x + "=" * (-len(key.x) % 4)))
