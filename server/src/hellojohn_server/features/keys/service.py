"""The rules of keys: who may make and revoke which, and whom a presented key stands for."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from ipaddress import ip_network
from typing import Final

import msgspec
from msgspec.structs import replace

from hellojohn_server.features.audit.service import AuditLog
from hellojohn_server.features.keys import repository
from hellojohn_server.features.keys.errors import (
    ApiKeyExpired,
    ApiKeyNotActive,
    ApiKeyNotFound,
    InvalidApiKey,
    invalid_key,
)
from hellojohn_server.features.keys.events import key_created, key_revoked, key_rotated
from hellojohn_server.features.keys.schemas import (
    NOT_A_NETWORK,
    ApiKey,
    CreateKeyBody,
    KeyStatus,
    KeyType,
    ListKeysQuery,
    MadeKey,
    RotateKeyBody,
    TenantKeyType,
    lifetime_fault,
    overlap_fault,
    status_of,
)
from hellojohn_server.features.sessions.schemas import Ending, RevokeCause
from hellojohn_server.features.sessions.service import SessionService
from hellojohn_server.features.tenants.errors import TenantNotFound, TenantSuspended
from hellojohn_server.features.tenants.service import TenantService
from hellojohn_server.kit.addresses import Network, format_network, is_within, parse_network
from hellojohn_server.kit.api_keys import Environment, ParsedKey, make_key
from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.error_codes import FieldCode
from hellojohn_server.kit.errors import FieldError, InsufficientScope, Invalid
from hellojohn_server.kit.ids import CONTROL_TENANT_ID, IdFactory, IdPrefix, is_id
from hellojohn_server.kit.pagination import CursorCodec, Page, page_of
from hellojohn_server.kit.principal import ActorType, Context, CredentialKind, Principal
from hellojohn_server.kit.routing import faults_together
from hellojohn_server.kit.scopes import ALL_SCOPES, Scope, is_grant, is_granted, missing_grants
from hellojohn_server.kit.sightings import SightingKind, Sightings
from hellojohn_server.kit.times import format_time, parse_duration
from hellojohn_server.storage.database import Database, Exempt, Reader, Transaction
from hellojohn_server.storage.errors import TenantStoreNotFound

_KIND: Final = {
    KeyType.MASTER: CredentialKind.MASTER_KEY,
    KeyType.PUBLISHABLE: CredentialKind.PUBLISHABLE_KEY,
    KeyType.SECRET: CredentialKind.SECRET_KEY,
}
_ROTATED: Final = "rotated"
_MASTER_GRANTS: Final = frozenset({ALL_SCOPES, Scope.ADMINS_MANAGE.value})


class _Wish(msgspec.Struct, frozen=True):
    """A key to make, before what its maker has limits it. `networks` None: where its maker is used."""

    type: KeyType
    name: str
    scopes: tuple[str, ...] = ()
    lifetime: int | None = None
    networks: tuple[Network, ...] | None = None


class _Minted(msgspec.Struct, frozen=True):
    """A key that nobody has yet, and what is stored and shown of it."""

    id: str
    text: str
    key_hash: bytes
    hint: str


def require_never_upward(principal: Principal, *, privileged: bool) -> None:
    """Raise InsufficientScope naming admins:manage when the target is privileged and the caller may not manage it."""
    if privileged and not principal.may(Scope.ADMINS_MANAGE):
        raise InsufficientScope([Scope.ADMINS_MANAGE])


class KeyService:
    """API keys. A tenant's keys are in its own store; master keys are in the control store."""

    def __init__(  # noqa: PLR0913 - what it takes, each by name
        self,
        db: Database,
        ids: IdFactory,
        clock: Clock,
        audit: AuditLog,
        *,
        tenants: TenantService,
        sessions: SessionService,
        cursors: CursorCodec,
        sightings: Sightings,
    ) -> None:
        self._db = db
        self._ids = ids
        self._clock = clock
        self._audit = audit
        self._tenants = tenants
        self._sessions = sessions
        self._cursors = cursors
        self._sightings = sightings

    async def authenticate(self, parsed: ParsedKey) -> Principal:
        """Return whom a presented key stands for. Reads tenant and key from the store each time (two indexed reads).

        InvalidApiKey (for publishable keys InvalidPublishableKey) for a key that was never made or is revoked, and for
        one whose tenant does not exist or is of the other environment; ApiKeyExpired; TenantSuspended, but only to
        whoever holds a key that would work.
        """
        suspended: TenantSuspended | None = None
        if parsed.kind is not CredentialKind.MASTER_KEY:
            try:
                await self._tenants.require_open(parsed.tenant_id, parsed.environment)
            except TenantNotFound as missing:
                raise invalid_key(parsed.kind) from missing
            except TenantSuspended as refusal:
                suspended = refusal
        key = await self._get_by_hash(parsed)
        if key is None or _KIND[key.type] is not parsed.kind:
            raise invalid_key(parsed.kind)
        now = self._clock.now_ms()
        status = status_of(key, now)
        if status is KeyStatus.REVOKED:
            raise invalid_key(parsed.kind)
        if status is KeyStatus.EXPIRED:
            raise ApiKeyExpired
        if suspended is not None:
            raise suspended
        self._sightings.note(SightingKind.API_KEY, parsed.tenant_id, key.id, key.last_used_at, now)
        return _principal_of(key, parsed.tenant_id)

    async def require_key(self, tenant_id: str, key_id: str) -> ApiKey:
        """Return a key of the tenant, also a revoked or expired one; ApiKeyNotFound when there is none."""
        if not is_id(key_id, IdPrefix.KEY):
            raise ApiKeyNotFound

        async def query(reader: Reader) -> ApiKey | None:
            return await repository.get_key(reader, key_id)

        key = await self._db.read(tenant_id, query)
        if key is None:
            raise ApiKeyNotFound
        return key

    async def require_acting(self, tenant_id: str, key_id: str) -> Principal:
        """Return whom a key stands for that somebody acted with before; InvalidApiKey, ApiKeyExpired."""

        async def query(reader: Reader) -> ApiKey | None:
            return await repository.get_key(reader, key_id)

        return _principal_of(self._living(await self._db.read(tenant_id, query)), tenant_id)

    async def require_alive(self, tx: Transaction, key_id: str) -> ApiKey:
        """Return a key that works, and goes on to until `tx` ends: whoever revokes or rotates it waits.

        InvalidApiKey when it is revoked or there is none; ApiKeyExpired.
        """
        return self._living(await repository.get_key_held(tx, key_id))

    def _living(self, key: ApiKey | None) -> ApiKey:
        status = KeyStatus.REVOKED if key is None else status_of(key, self._clock.now_ms())
        if key is None or status is KeyStatus.REVOKED:
            raise InvalidApiKey
        if status is KeyStatus.EXPIRED:
            raise ApiKeyExpired
        return key

    async def require_working(self, principal: Principal) -> None:
        """Raise what `authenticate` would by now: for what goes on after its request was let in.

        Only secret keys are judged, of which an answer in parts is asked for; whoever else it is passes.
        """
        if principal.kind is not CredentialKind.SECRET_KEY:
            return
        await self._tenants.require_open(principal.tenant_id)
        status = status_of(await self.require_key(principal.tenant_id, principal.id), self._clock.now_ms())
        if status is KeyStatus.REVOKED:
            raise InvalidApiKey
        if status is KeyStatus.EXPIRED:
            raise ApiKeyExpired

    async def list_keys(self, tenant_id: str, query: ListKeysQuery) -> Page[ApiKey]:
        """Return a page of the tenant's keys, newest first, revoked and expired ones included."""
        bound = ("api-keys", query.type)
        after = None
        if query.cursor is not None:
            after = str(self._cursors.decode(tenant_id, bound, query.cursor)[0])
        key_type = None if query.type is None else KeyType(query.type.value)

        async def read(reader: Reader) -> Page[ApiKey]:
            total, found = await repository.list_keys(reader, query.limit + 1, key_type, after)
            rows = list(found[: query.limit])
            more = len(found) > query.limit
            following = self._cursors.encode(tenant_id, bound, (rows[-1].id,)) if more else None
            return page_of(rows, query.limit, total, following, capped=True)

        return await self._db.read(tenant_id, read)

    async def create_key(self, context: Context, tenant_id: str, body: CreateKeyBody) -> MadeKey:
        """Make a key of a tenant and return it with the key itself, which nobody can read again.

        The maker must hold every scope and every wildcard of the result, admins:manage by name, else
        InsufficientScope; the key ends no later than its maker, and is used from no other addresses. Invalid names
        every unknown scope, and every address that is none or wider than the maker's. TenantNotFound.
        """
        grants = _grants_of(body)
        lifetime = _lifetime_of(body.expires_in)
        networks = _networks_of(body)
        missing = missing_grants(context.principal.scopes, grants)
        if missing:
            raise InsufficientScope(missing, "A key can be given only scopes that its maker holds.")
        tenant = await self._tenants.require_tenant(tenant_id)
        wish = _Wish(KeyType(body.type.value), body.name, grants, lifetime, networks)
        return await self._make(context, tenant_id, tenant.environment, wish)

    async def create_master_key(self, context: Context, name: str, expires_in: str | None = None) -> MadeKey:
        """Make a master key. For the host's own commands: no route reaches this."""
        wish = _Wish(KeyType.MASTER, name, lifetime=_lifetime_of(expires_in), networks=())
        return await self._make(context, CONTROL_TENANT_ID, Environment.LIVE, wish)

    async def revoke_key(self, context: Context, key_id: str, reason: str | None = None) -> ApiKey:
        """Revoke a key of the caller's tenant (a master key, when that is the control store): refused from now on.

        Impersonations that it made end with it. Revoked already: nothing changes and nothing is recorded. A key that
        holds admins:manage is revoked only by a caller that holds it too, else InsufficientScope. ApiKeyNotFound.
        """
        if not is_id(key_id, IdPrefix.KEY):
            raise ApiKeyNotFound

        async def guard(tx: Transaction) -> None:
            key = await repository.get_key(tx, key_id)
            privileged = key is not None and is_granted(key.scopes, Scope.ADMINS_MANAGE)
            require_never_upward(context.principal, privileged=privileged)

        async def command(tx: Transaction) -> ApiKey:
            now = self._clock.now_ms()
            revoked = await repository.update_revoked(tx, key_id, reason, now)
            if revoked is None:
                unchanged = await repository.get_key(tx, key_id)
                if unchanged is None:
                    raise ApiKeyNotFound
                return unchanged
            ended = await self._revoke_impersonations(tx, context, revoked, now)
            await self._audit.record(tx, context, key_revoked(revoked, ended))
            return revoked

        return await self._db.write(context.tenant_id, command, ApiKey, guard=guard, idempotency=context.idempotency)

    async def rotate_key(self, context: Context, key_id: str, body: RotateKeyBody) -> MadeKey:
        """Make a key in the place of one of the caller's tenant (a master key, when that is the control store).

        The new key has the name, type, scopes and addresses of the old one, and ends with it or with the caller. The
        old one works on for the overlap, but not beyond its own end; without one it is revoked. Impersonations that it
        made end when it does. The caller must hold every scope of it, else InsufficientScope, and be allowed every
        address that it is, else Invalid. ApiKeyNotFound; ApiKeyNotActive. Of several at once, one rotates.
        """
        overlap = _overlap_of(body.overlap)
        old = await self.require_key(context.tenant_id, key_id)
        missing = missing_grants(context.principal.scopes, old.scopes)
        if missing:
            raise InsufficientScope(missing, "A key can be rotated only by one that holds its scopes.")
        _require_no_wider(context.principal, old)
        minted = self._mint(old.type, await self._environment_of(context.tenant_id), context.tenant_id)

        async def command(tx: Transaction) -> MadeKey:
            now = self._clock.now_ms()
            after = await repository.update_rotated(tx, _rotated(old, minted.id, overlap, body.reason, now), now)
            if after is None:
                raise ApiKeyNotActive
            new = _replacement_of(old, minted, context.principal, now)
            await repository.insert_key(tx, new, minted.key_hash)
            ended = 0
            if after.revoked_at is not None:
                ended = await self._revoke_impersonations(tx, context, after, now)
            elif after.type is KeyType.SECRET and after.expires_at is not None:
                await self._sessions.cap_impersonations_by(tx, key_id, after.expires_at)
            events = [key_rotated(old, after, body.reason, ended), key_created(new)]
            await self._audit.record_many(tx, context, events)
            return MadeKey(new, minted.text)

        return await self._db.write(context.tenant_id, command, MadeKey, idempotency=context.idempotency)

    async def record_used(self, tenant_id: str, seen: Mapping[str, int]) -> None:
        """Write when keys of a tenant were last used (milliseconds by id). A time never goes back; no audit entry."""

        async def command(tx: Transaction) -> None:
            await repository.update_last_used(tx, seen)

        await self._db.write(tenant_id, command, type(None), exempt=Exempt.LAST_USED)

    def now_ms(self) -> int:
        """Return the time by which a key's status is judged."""
        return self._clock.now_ms()

    async def _get_by_hash(self, parsed: ParsedKey) -> ApiKey | None:
        async def query(reader: Reader) -> ApiKey | None:
            return await repository.get_key_by_hash(reader, parsed.key_hash)

        try:
            return await self._db.read(parsed.tenant_id, query)
        except TenantStoreNotFound:  # deleted since its row was read
            return None

    async def _environment_of(self, tenant_id: str) -> Environment:
        if tenant_id == CONTROL_TENANT_ID:
            return Environment.LIVE
        return (await self._tenants.require_tenant(tenant_id)).environment

    def _mint(self, key_type: KeyType, environment: Environment, tenant_id: str) -> _Minted:
        text, parsed, hint = make_key(_KIND[key_type], environment, tenant_id)
        return _Minted(self._ids.new(IdPrefix.KEY), text, parsed.key_hash, hint)

    async def _revoke_impersonations(self, tx: Transaction, context: Context, key: ApiKey, now: int) -> int:
        """End what a revoked key still does in users' places, and return how many sessions that were."""
        if key.type is not KeyType.SECRET:  # no other makes any, and the control store has no sessions
            return 0
        ending = Ending(RevokeCause.API_KEY_REVOKED, context.principal.id, now)
        return (await self._sessions.revoke_impersonations_by(tx, key.id, ending)).sessions_revoked

    async def _make(self, context: Context, tenant_id: str, environment: Environment, wish: _Wish) -> MadeKey:
        minted = self._mint(wish.type, environment, tenant_id)

        async def command(tx: Transaction) -> MadeKey:
            # The clock is read here, not before: a retry is answered with the first key, however late it comes.
            now = self._clock.now_ms()
            faults: list[FieldError] = []
            expires_at = _expiry_of(context.principal, wish.lifetime, now, faults)
            networks = _allowed_networks_of(context.principal, wish.networks, faults)
            if faults:
                raise Invalid(details=faults)
            key = ApiKey(
                id=minted.id,
                type=wish.type,
                name=wish.name,
                hint=minted.hint,
                scopes=wish.scopes,
                created_at=now,
                created_by=context.principal.id,
                expires_at=expires_at,
                revoked_at=None,
                revoked_reason=None,
                allowed_ips=tuple(format_network(network) for network in networks),
            )
            await repository.insert_key(tx, key, minted.key_hash)
            await self._audit.record(tx, context, key_created(key))
            return MadeKey(key, minted.text)

        return await self._db.write(tenant_id, command, MadeKey, idempotency=context.idempotency)


def _lifetime_of(expires_in: str | None) -> int | None:
    """Return `expires_in` in seconds; Invalid when it is no duration, or too long a one."""
    if expires_in is None:
        return None
    fault = lifetime_fault(expires_in)
    seconds = parse_duration(expires_in)
    if fault is not None or seconds is None:
        raise Invalid(details=[FieldError("expires_in", FieldCode.INVALID, fault or "Not a duration.")])
    return seconds


def _expiry_of(principal: Principal, lifetime: int | None, now: int, faults: list[FieldError]) -> int | None:
    """Return when a key made at `now` ends; it is added to `faults` when that is after its maker."""
    if lifetime is None:
        return principal.expires_at
    expires_at = now + lifetime * 1000
    if principal.expires_at is not None and expires_at > principal.expires_at:
        message = f"No later than the key that makes it, which ends at {format_time(principal.expires_at)}."
        faults.append(FieldError("expires_in", FieldCode.OUT_OF_RANGE, message))
    return expires_at


def _networks_of(body: CreateKeyBody) -> tuple[Network, ...] | None:
    """Return the networks that are asked for, as given; None when none are. Invalid names each that is no network."""
    if body.type is TenantKeyType.PUBLISHABLE:
        return ()
    if body.allowed_ips is None:
        return None
    networks: list[Network] = []
    faults: list[FieldError] = []
    for index, text in enumerate(body.allowed_ips):
        network = parse_network(text)
        if network is None:
            faults.append(FieldError(f"allowed_ips[{index}]", FieldCode.INVALID, NOT_A_NETWORK))
        else:
            networks.append(network)
    if faults:
        raise Invalid(details=faults)
    return tuple(networks)


def _allowed_networks_of(
    principal: Principal, wanted: Sequence[Network] | None, faults: list[FieldError]
) -> Sequence[Network]:
    """Return the networks of a new key, in order and each once; its maker's own when none are wanted.

    Each that is not within one of the maker's is added to `faults`.
    """
    held = principal.allowed_networks
    if wanted is None:
        return held
    for index, network in enumerate(wanted):
        if held and not any(is_within(network, own) for own in held):
            message = "Is not within the addresses that the key which makes it is allowed."
            faults.append(FieldError(f"allowed_ips[{index}]", FieldCode.OUT_OF_RANGE, message))
    return sorted(set(wanted), key=lambda each: (each.version, int(each.network_address), each.prefixlen))


@lru_cache(4096)
def _stored_networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    """Return the networks in a key's row. ValueError for what is none: passed over, it would leave the key open."""
    return tuple(ip_network(text) for text in texts)


def _overlap_of(overlap: str | None) -> int | None:
    """Return `overlap` in seconds; Invalid when it is no duration, or too long a one."""
    if overlap is None:
        return None
    fault = overlap_fault(overlap)
    seconds = parse_duration(overlap)
    if fault is not None or seconds is None:
        raise Invalid(details=[FieldError("overlap", FieldCode.INVALID, fault or "Not a duration.")])
    return seconds


def _require_no_wider(principal: Principal, key: ApiKey) -> None:
    """Raise Invalid when a secret key may be used from where the caller may not."""
    held = principal.allowed_networks
    if not held or key.type is not KeyType.SECRET:
        return
    networks = _stored_networks(key.allowed_ips)
    if not networks or not all(any(is_within(network, own) for own in held) for network in networks):
        message = "This key may be used from addresses that the key which rotates it is not allowed."
        raise Invalid(details=[FieldError("key_id", FieldCode.OUT_OF_RANGE, message)])


def _rotated(old: ApiKey, replaced_by: str, overlap: int | None, reason: str | None, now: int) -> ApiKey:
    """Return a key as it is once `replaced_by` has taken its place."""
    if overlap is None:
        return replace(old, replaced_by=replaced_by, revoked_at=now, revoked_reason=reason or _ROTATED)
    ends_at = now + overlap * 1000
    return replace(
        old, replaced_by=replaced_by, expires_at=ends_at if old.expires_at is None else min(old.expires_at, ends_at)
    )


def _replacement_of(old: ApiKey, minted: _Minted, principal: Principal, now: int) -> ApiKey:
    return ApiKey(
        id=minted.id,
        type=old.type,
        name=old.name,
        hint=minted.hint,
        scopes=old.scopes,
        created_at=now,
        created_by=principal.id,
        expires_at=min((at for at in (old.expires_at, principal.expires_at) if at is not None), default=None),
        revoked_at=None,
        revoked_reason=None,
        allowed_ips=old.allowed_ips,
    )


def _grants_of(body: CreateKeyBody) -> tuple[str, ...]:
    faults = faults_together(body)
    if faults:
        raise Invalid(details=faults)
    if body.type is TenantKeyType.PUBLISHABLE:
        return ()
    grants = [ALL_SCOPES] if body.scopes is None else body.scopes
    unknown = [
        FieldError(f"scopes[{index}]", FieldCode.UNKNOWN, "Not a scope. docs/scopes.md lists them.")
        for index, grant in enumerate(grants)
        if not is_grant(grant)
    ]
    if unknown:
        raise Invalid(details=unknown)
    return tuple(sorted(set(grants)))


def _principal_of(key: ApiKey, tenant_id: str) -> Principal:
    is_master = key.type is KeyType.MASTER
    return Principal(
        kind=_KIND[key.type],
        actor_type=ActorType.MASTER_KEY if is_master else ActorType.API_KEY,
        id=key.id,
        name=key.name,
        tenant_id=tenant_id,
        scopes=_MASTER_GRANTS if is_master else frozenset(key.scopes),
        expires_at=key.expires_at,
        allowed_networks=_stored_networks(key.allowed_ips),
    )
