"""What a verifier has at the other end: a server of tokens, keys and a feed of revocations, which fails on demand."""

import asyncio
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

TENANT: Final = "tnt_01HZX3Y5N8Q7W2K4M6P9R1T3VA"
ISSUER: Final = "https://id.example.com"
HEARTBEAT_SECONDS: Final = 0.1
HOUR: Final = 3600
CHUNK: Final = 2
"""How many entries of the feed an answer has."""


def timestamp(seconds: float) -> str:
    """Return a time as the API writes it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def revocation(kind: str, *, at: float = 0, forget: float = HOUR, **named: Any) -> dict[str, Any]:
    """Return an entry of the feed; `at` and `forget` are seconds from now."""
    now = time.time()
    return {"type": kind, **named, "revoked_at": timestamp(now + at), "forget_at": timestamp(now + forget)}


class Issuer:
    """The server. `asked` are the paths of its requests, each with the cursor that it had."""

    def __init__(self) -> None:
        self.url = ""
        self.keys: dict[str, Ed25519PrivateKey] = {"key_1": Ed25519PrivateKey.generate()}
        self.entries: list[dict[str, Any]] = []
        self.asked: list[tuple[str, str | None]] = []
        self.is_down = False
        self.is_silent = False
        self.refusal: str | None = None
        self.valid: dict[str, Any] = {"valid": True}
        self._streams: set[asyncio.StreamWriter] = set()

    def token(self, kid: str = "key_1", key: Ed25519PrivateKey | None = None, **claims: Any) -> str:
        """Return an access token, with other claims than usual in some places; None leaves one out."""
        now = int(time.time())
        usual = {
            "iss": ISSUER,
            "aud": TENANT,
            "sub": "usr_1",
            "sid": "ses_1",
            "tenant_id": TENANT,
            "role": "member",
            "email": "alice@example.com",
            "amr": ["pwd"],
            "gen": 3,
            "iat": now,
            "exp": now + 900,
            "jti": "tok_1",
        }
        said = {name: value for name, value in (usual | claims).items() if value is not None}
        return jwt.encode(said, key or self.keys[kid], "EdDSA", {"kid": kid})

    def count(self, path: str) -> int:
        """Return how often a path was asked for."""
        return sum(asked == path for asked, _ in self.asked)

    def cut(self) -> None:
        """End the connection of whoever listens."""
        for writer in self._streams:
            writer.transport.abort()

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        try:
            await self._answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # whoever asked has gone
        finally:
            self._streams.discard(writer)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        parts = urlsplit(head.split(" ")[1])
        since = parse_qs(parts.query).get("since", [None])[0]
        is_stream = "text/event-stream" in head
        self.asked.append((f"{parts.path}{' (stream)' if is_stream else ''}", since))
        if self.is_down:
            writer.transport.abort()
        elif parts.path == "/v1/revocations" and self.refusal is not None:
            status = {"tenant_suspended": 403}.get(self.refusal, 422)
            error = {"code": self.refusal, "message": "No.", "status": status, "request_id": "req_1"}
            await _send(writer, {"error": error}, status)
        elif parts.path == "/.well-known/jwks.json":
            await _send(writer, {"keys": [_published(kid, key) for kid, key in self.keys.items()]})
        elif parts.path == "/v1/sessions/verify":
            await _send(writer, self.valid)
        elif is_stream:
            await self._stream(writer, int(since or 0))
        else:
            entries = self.entries[int(since or 0) :]
            await _send(
                writer, {"data": entries[:2], "has_more": len(entries) > 2, "next_cursor": self._after(entries)}
            )

    def _after(self, entries: list[dict[str, Any]]) -> str:
        return str(len(self.entries) - len(entries) + len(entries[:2]))

    async def _stream(self, writer: asyncio.StreamWriter, cursor: int) -> None:
        self._streams.add(writer)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\nretry: 250\n\n")
        while True:
            for entry in self.entries[cursor:]:
                cursor += 1
                writer.write(f"id: {cursor}\nevent: revocation\ndata: {json.dumps(entry)}\n\n".encode())
            if not self.is_silent:
                writer.write(f"id: {cursor}\nevent: heartbeat\ndata: {{}}\n\n".encode())
            await writer.drain()
            await asyncio.sleep(HEARTBEAT_SECONDS)


def _published(kid: str, key: Ed25519PrivateKey) -> dict[str, str]:
    x = urlsafe_b64encode(key.public_key().public_bytes_raw()).rstrip(b"=").decode()
    return {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": kid, "x": x}


async def _send(writer: asyncio.StreamWriter, body: Any, status: int = 200) -> None:
    content = json.dumps(body).encode()
    head = (
        f"HTTP/1.1 {status} OK\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\nConnection: close"
    )
    writer.write(f"{head}\r\n\r\n".encode() + content)
    await writer.drain()


@asynccontextmanager
async def issuing() -> AsyncGenerator[Issuer]:
    """Serve on a free loopback port."""
    issuer = Issuer()
    server = await asyncio.start_server(issuer.take, "127.0.0.1", 0)
    issuer.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield issuer
        issuer.cut()
