"""A software authenticator and the browser before it: ES256, written from the Web Authentication standard."""

import hashlib
import json
import os
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

_PRESENT: Final = 0x01
_VERIFIED: Final = 0x04
_ATTESTED: Final = 0x40


def encoded(value: bytes) -> str:
    """Return base64url without padding."""
    return urlsafe_b64encode(value).rstrip(b"=").decode()


def cbor(value: Any) -> bytes:
    """Return a value in CBOR (RFC 8949): what an attestation is made of."""
    if isinstance(value, int):
        return _head(0, value) if value >= 0 else _head(1, -1 - value)
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        return _head(3, len(value.encode())) + value.encode()
    return _head(5, len(value)) + b"".join(cbor(key) + cbor(item) for key, item in value.items())


def _head(major: int, number: int) -> bytes:
    for size, (limit, code) in enumerate(((24, ""), (1 << 8, ">B"), (1 << 16, ">H"))):
        if number < limit:
            return bytes([major << 5 | (number if size == 0 else 23 + size)]) + (
                struct.pack(code, number) if code else b""
            )
    raise ValueError(number)


class Authenticator:
    """Holds one credential. `origin` is of the page that the browser shows; one of `step` 0 does not count its uses."""

    def __init__(self, origin: str = "https://app.example.com", *, step: int = 1) -> None:
        self.origin = origin
        self.count = 0
        self.step = step
        self.credential_id = os.urandom(32)
        self._key = ec.generate_private_key(ec.SECP256R1())

    def create(self, options: dict[str, Any]) -> dict[str, Any]:
        """Answer navigator.credentials.create."""
        numbers = self._key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        attested = bytes(16) + struct.pack(">H", len(self.credential_id)) + self.credential_id + cbor(cose)
        data = self._data(options["rp"]["id"], _PRESENT | _VERIFIED | _ATTESTED) + attested
        client = self._client("webauthn.create", options["challenge"])
        attestation = cbor({"fmt": "none", "attStmt": {}, "authData": data})
        return self._credential({"clientDataJSON": encoded(client), "attestationObject": encoded(attestation)})

    def get(self, options: dict[str, Any], *, user: str | None = None, verified: bool = True) -> dict[str, Any]:
        """Answer navigator.credentials.get; the count goes up. One that is discoverable says whose it is."""
        self.count += self.step
        data = self._data(options["rpId"], _PRESENT | (_VERIFIED if verified else 0))
        client = self._client("webauthn.get", options["challenge"])
        signature = self._key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        answer = {"clientDataJSON": client, "authenticatorData": data, "signature": signature}
        if user is not None:
            answer["userHandle"] = user.encode()
        return self._credential({name: encoded(value) for name, value in answer.items()})

    def _data(self, rp_id: str, flags: int) -> bytes:
        return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + struct.pack(">I", self.count)

    def _client(self, kind: str, challenge: str) -> bytes:
        assert len(urlsafe_b64decode(challenge + "==")) >= 16
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}).encode()

    def _credential(self, response: dict[str, str]) -> dict[str, Any]:
        known = encoded(self.credential_id)
        return {
            "id": known,
            "rawId": known,
            "type": "public-key",
            "response": response,
            "clientExtensionResults": {},
            "authenticatorAttachment": "platform",
        }
