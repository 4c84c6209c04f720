"""The ring of signing keys: which one signs, which ones verify, and turning it over without failing a valid token.

A new key is published for a while before it signs, so that whoever keeps the key set has it when the first token comes;
an old one stays published until the last token that it can have signed has ended.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from hellojohn_server.features.audit.events import Event
from hellojohn_server.features.audit.service import AuditLog
from hellojohn_server.features.revocation_log.schemas import LONGEST_TOKEN_MS, Revocation, RevocationType
from hellojohn_server.features.revocation_log.service import RevocationLog
from hellojohn_server.features.signing_keys import repository
from hellojohn_server.features.signing_keys.errors import RotationUnderWay
from hellojohn_server.features.signing_keys.schemas import JsonWebKeySet, SigningKey, json_web_key
from hellojohn_server.kit.audit_types import AuditType, ResourceType
from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.ids import CONTROL_TENANT_ID, IdFactory, IdPrefix
from hellojohn_server.kit.principal import Context, system_context
from hellojohn_server.kit.secrets import Sealer
from hellojohn_server.kit.times import format_optional_time, format_time
from hellojohn_server.kit.tokens import AccessClaims, InvalidAccessToken, kid_of, sign_token, verify_token
from hellojohn_server.storage.database import Database, Exempt, Reader, Transaction

LEAD_MS: Final = 3_600_000
"""How long a new key is published before it signs: an hour, the longest that verifiers keep a key set."""
_LEEWAY_MS: Final = 300_000
"""How far the clocks of processes that sign may be apart."""
_KEEP_MS: Final = 1_000
"""How long a process works with the ring that it has read: so long a compromised key still signs and passes there."""


class _Ring(msgspec.Struct, frozen=True):
    read_at: int
    keys: tuple[SigningKey, ...]
    public: dict[str, Ed25519PublicKey]

    def is_younger(self, now_ms: int, age_ms: int) -> bool:
        """Say whether it was read less than `age_ms` ago. One read in the future is of a clock that was put back."""
        return 0 <= now_ms - self.read_at < age_ms

    def signing_at(self, now_ms: int) -> SigningKey | None:
        """Return the key that signs. A clock that is behind the first key has none yet: then it is that one."""
        standing = [key for key in self.keys if not _has_ended(key, now_ms)]
        ready = [key for key in standing if key.signs_from <= now_ms]
        if ready:
            return max(ready, key=lambda key: (key.signs_from, key.id))
        return min(standing, key=lambda key: (key.signs_from, key.id), default=None)


class SigningKeyService:
    """Signs and verifies access tokens. Keeps the ring that it read for a second."""

    def __init__(  # noqa: PLR0913 - what it takes, each by name
        self,
        db: Database,
        ids: IdFactory,
        clock: Clock,
        audit: AuditLog,
        *,
        revocations: RevocationLog,
        sealer: Sealer,
        issuer: str,
    ) -> None:
        self._db = db
        self._ids = ids
        self._clock = clock
        self._audit = audit
        self._revocations = revocations
        self._sealer = sealer
        self.issuer = issuer
        self._ring: _Ring | None = None
        self._private: dict[str, Ed25519PrivateKey] = {}

    async def sign(self, claims: AccessClaims) -> str:
        """Return the token with these claims, signed with the key that signs now. The first call ever makes a key."""
        now = self._clock.now_ms()
        key = (await self._current(now)).signing_at(now)
        if key is None:
            await self._make_first(now)
            key = (await self._read(now)).signing_at(now)
        if key is None:
            raise RuntimeError("the control store has no key that signs")
        return sign_token(claims, key.id, self._private_of(key))

    async def verify(self, token: str) -> AccessClaims:
        """Return what a token says that one of our keys signed. InvalidAccessToken.

        Whether it has expired, and its session stands, is for the caller to judge.
        """
        kid = kid_of(token)
        if kid is None:
            raise InvalidAccessToken
        now = self._clock.now_ms()
        ring = await self._current(now)
        public = ring.public.get(kid)
        if public is None or any(key.id == kid and _has_ended(key, now) for key in ring.keys):
            raise InvalidAccessToken
        return verify_token(token, public, self.issuer)

    async def key_set(self) -> JsonWebKeySet:
        """Return what is published: the keys as the store has them now, the next one included."""
        now = self._clock.now_ms()
        ring = await self._read(now)
        if not ring.keys:
            await self._make_first(now)
            ring = await self._read(now)
        return JsonWebKeySet([json_web_key(key) for key in ring.keys if not _has_ended(key, now)])

    async def list_keys(self) -> list[SigningKey]:
        """Return every key that has not ended, the one that signs first coming first."""
        now = self._clock.now_ms()
        return [key for key in (await self._read(now)).keys if not _has_ended(key, now)]

    async def rotate(self, context: Context, *, compromised: bool = False) -> SigningKey:
        """Make the next key and return it. RotationUnderWay when there is one already that does not sign yet.

        It signs in an hour, and what the old ones signed passes to its end. When they are `compromised` it signs
        at once and they end at once: every access token is refused, and refreshing gives a new one.
        """
        private = Ed25519PrivateKey.generate()

        async def command(tx: Transaction) -> SigningKey:
            now = self._clock.now_ms()
            before = await repository.list_keys_locked(tx)
            if not compromised and any(key.signs_from > now for key in before):
                raise RotationUnderWay
            key = self._new_key(private, now, now if compromised or not before else now + LEAD_MS)
            ends_at = now if compromised else key.signs_from + LONGEST_TOKEN_MS + _LEEWAY_MS
            await repository.insert_key(tx, key)
            await repository.update_ends(tx, key.id, ends_at)
            if compromised:  # who has it can sign what they like: it is refused until nobody has the old key set
                standing = [old.id for old in before if not _has_ended(old, now)]
                refused_until = now + LONGEST_TOKEN_MS
                await self._revocations.record(
                    tx, [Revocation(RevocationType.SIGNING_KEY, key_id, now, refused_until) for key_id in standing]
                )
            await self._audit.record(tx, context, _rotated(key, before, ends_at))
            return key

        key = await self._db.write(CONTROL_TENANT_ID, command, SigningKey)
        self._ring = None
        return key

    async def purge_ended(self) -> None:
        """Delete the keys, private halves included, whose tokens have all ended."""
        now = self._clock.now_ms()
        if not any(_has_ended(key, now) for key in (await self._read(now)).keys):
            return

        async def command(tx: Transaction) -> int:
            return await repository.delete_ended(tx, now)

        await self._db.write(CONTROL_TENANT_ID, command, int, exempt=Exempt.HOUSEKEEPING)

    async def _make_first(self, now_ms: int) -> None:
        """Make a key that signs at once, unless another process has: of several at once one makes it."""
        private = Ed25519PrivateKey.generate()

        async def command(tx: Transaction) -> None:
            if await repository.list_keys_locked(tx):
                return
            key = self._new_key(private, now_ms, now_ms)
            await repository.insert_key(tx, key)
            event = Event(AuditType.SIGNING_KEY_CREATED, key.id, ResourceType.SIGNING_KEY)
            await self._audit.record(tx, system_context(self._ids.new(IdPrefix.REQUEST)), event)

        await self._db.write(CONTROL_TENANT_ID, command, type(None))

    def _new_key(self, private: Ed25519PrivateKey, now_ms: int, signs_from: int) -> SigningKey:
        key_id = self._ids.new(IdPrefix.KEY)
        sealed = self._sealer.seal(private.private_bytes_raw(), *_place_of(key_id))
        return SigningKey(key_id, private.public_key().public_bytes_raw(), sealed, now_ms, signs_from, None)

    async def _current(self, now_ms: int) -> _Ring:
        ring = self._ring
        return ring if ring is not None and ring.is_younger(now_ms, _KEEP_MS) else await self._read(now_ms)

    async def _read(self, now_ms: int) -> _Ring:
        async def query(reader: Reader) -> tuple[SigningKey, ...]:
            return tuple(await repository.list_keys(reader))

        keys = await self._db.read(CONTROL_TENANT_ID, query)
        public = {key.id: Ed25519PublicKey.from_public_bytes(key.public_key) for key in keys}
        self._ring = _Ring(now_ms, keys, public)
        self._private = {key_id: key for key_id, key in self._private.items() if key_id in public}
        return self._ring

    def _private_of(self, key: SigningKey) -> Ed25519PrivateKey:
        private = self._private.get(key.id)
        if private is None:
            opened = self._sealer.open(key.sealed_private_key, *_place_of(key.id))
            private = self._private[key.id] = Ed25519PrivateKey.from_private_bytes(opened)
        return private


def _place_of(key_id: str) -> tuple[str, ...]:
    return CONTROL_TENANT_ID, "signing_keys", key_id, "sealed_private_key"


def _has_ended(key: SigningKey, now_ms: int) -> bool:
    return key.ends_at is not None and key.ends_at <= now_ms


def _rotated(key: SigningKey, before: Sequence[SigningKey], ends_at: int) -> Event:
    """Return the entry of a rotation: when the new key signs, and when each of the others ends."""
    ends = {old.id: (format_optional_time(old.ends_at), format_time(ends_at)) for old in before if old.ends_at is None}
    changes = {f"{key_id}.ends_at": times for key_id, times in ends.items()}
    return Event(
        AuditType.SIGNING_KEY_ROTATED,
        key.id,
        ResourceType.SIGNING_KEY,
        changes={"signs_from": (None, format_time(key.signs_from)), **changes},
    )
