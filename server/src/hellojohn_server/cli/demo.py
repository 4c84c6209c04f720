"""The demo tenant's data: 200 users in many scripts and states, the same ones for the same seed.

Rows are made here and inserted through the features' repositories in one transaction, each with its audit entry; times
lie in the past of the moment of making, so that "this week" holds somebody.
"""

import random
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, TypeVar

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec.structs import replace
from webauthn.helpers import encode_cbor

from hellojohn_server.cli.demo_people import PEOPLE
from hellojohn_server.features.audit.service import AuditLog
from hellojohn_server.features.mfa import repository as mfa_repository
from hellojohn_server.features.mfa.schemas import Factor, FactorType
from hellojohn_server.features.mfa.service import MfaService
from hellojohn_server.features.organizations import repository as organizations_repository
from hellojohn_server.features.organizations.schemas import Membership, Organization, slug_of
from hellojohn_server.features.roles import repository as roles_repository
from hellojohn_server.features.roles.schemas import Role
from hellojohn_server.features.sessions import repository as sessions_repository
from hellojohn_server.features.sessions.schemas import Session
from hellojohn_server.features.user_factors import repository as factors_repository
from hellojohn_server.features.users import repository as users_repository
from hellojohn_server.features.users.events import user_created
from hellojohn_server.features.users.schemas import PasswordOrigin, User, facets_of
from hellojohn_server.features.users.service import change_counters
from hellojohn_server.kit.backup_codes import BACKUP_CODE_LENGTH, BACKUP_CODES
from hellojohn_server.kit.builtin_roles import BuiltinRole
from hellojohn_server.kit.ids import IdPrefix, encode_ulid, time_of
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.text import email_key, fold
from hellojohn_server.storage.database import Transaction

T = TypeVar("T")

SEED: Final = 1
_MINUTE: Final = 60_000
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 86_400_000
_YEARS_BACK_MS: Final = 3 * 365 * _DAY
_ACCESS_TOKEN_MS: Final = 15 * _MINUTE
_SESSION_MS: Final = 30 * _DAY
_LOCKED_FOR_MS: Final = 365 * _DAY
"""Locks of real users last minutes; these are there to be looked at."""

_ULID_RANDOM_BITS: Final = 80
_USERS_IN_A_SLICE: Final = 20

_DOMAINS: Final = (
    "example.com",
    "example.org",
    "example.net",
    "aurora-foods.example",
    "blauwal-logistik.example",
    "northwind-clinic.example",
    "kiteworks-studio.example",
)
_ORGANIZATIONS: Final = (
    ("Aurora Foods", 60),
    ("Blauwal Logistik", 35),
    ("Northwind Clinic", 25),
    ("Kiteworks Studio", 12),
    ("Ægir Boatyard", 5),
    ("さくら書房", 4),
    ("Μέλισσα Publishing", 3),
    ("Empty Shelf", 0),
)
_ROLES: Final = (
    ("billing_manager", "Sees and pays invoices", ("invoices:read", "invoices:write"), False),
    ("support_agent", "Answers tickets", ("tickets:read", "tickets:write"), False),
    ("security_officer", "Reviews access of others", ("access:review",), True),
)
_MEMBERSHIP_ROLES: Final = ("admin", "member", "member", "member", "member")
_FACTOR_NAMES: Final = {FactorType.TOTP: "Authenticator app", FactorType.WEBAUTHN: "Security key"}
_BASE32: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_SECRET_LENGTH: Final = 32
_KEY_BITS: Final = 250
_CREDENTIAL_BYTES: Final = 32
_AREA_CODES: Final = ("202", "212", "312", "415", "617", "808")
_HAS_PHONE: Final = 0.4
_HAS_NOTES: Final = 0.3
_HAS_USERNAME: Final = 0.5
_HAS_EXTERNAL_ID: Final = 0.4
_HAS_MFA: Final = 0.35
_IS_VERIFIED: Final = 0.85
_MUST_RESET: Final = 0.03
_BAN_ENDS: Final = 0.5
_REASONS: Final = ("Left the company", "Requested by the account owner", "Under review", None)
_BAN_REASONS: Final = ("Spam", "Payment fraud", "Abuse of the trial")
PLANS: Final = ("free", "free", "free", "pro", "pro", "enterprise")
LANGUAGES: Final = ("en", "de", "fr", "es", "el", "ja", "ar", "he", "hi", "vi", "th", "ko")


class Demo(msgspec.Struct, frozen=True):
    """Everything that the demo tenant has, as rows. The factors' secrets are open; `backup_codes` are by user."""

    roles: list[Role]
    organizations: list[Organization]
    users: list[User]
    memberships: list[Membership]
    factors: list[Factor]
    backup_codes: dict[str, list[str]]
    sessions: list[Session]


class State(StrEnum):
    """What is to be shown of a demo user."""

    ACTIVE = "active"
    BANNED = "banned"
    BINNED = "binned"
    DISABLED = "disabled"
    LOCKED = "locked"
    PENDING = "pending"


_STATES: Final = {State.DISABLED: 13, State.BANNED: 6, State.LOCKED: 5, State.PENDING: 15, State.BINNED: 7}
_ROLE_COUNTS: Final = {"admin": 5, "billing_manager": 8, "support_agent": 14, "security_officer": 3}
_ALWAYS_WELL: Final = 4
"""The first users stay active: two of them are super admins, so that there is somebody to administer the rest."""


def make_demo(now_ms: int, seed: int = SEED) -> Demo:
    """Return the demo tenant's rows as of `now_ms`. The same arguments give the same rows."""
    dice = random.Random(seed)  # noqa: S311 - invents people, guards nothing
    begun = now_ms - _YEARS_BACK_MS
    roles = make_roles(dice, begun)
    organizations = [
        organization_of(id_at(dice, IdPrefix.ORGANIZATION, begun), name, begun) for name, _ in _ORGANIZATIONS
    ]
    users = _users(dice, now_ms)
    factors = [factor for user in users for factor in _factors(dice, user)]
    sessions = [session for user in users for session in _sessions(dice, user, now_ms)]
    codes = {user.id: _backup_codes(dice) for user in users if user.mfa_enrolled}
    return Demo(roles, organizations, users, _memberships(dice, organizations, users), factors, codes, sessions)


async def insert_demo(tx: Transaction, demo: Demo, audit: AuditLog, mfa: MfaService, context: Context) -> None:
    """Insert the demo's rows, with counters, search and an audit entry for each user, in `tx`."""
    await roles_repository.insert_roles(tx, demo.roles)
    await organizations_repository.insert_organizations(tx, demo.organizations)
    counters: Counter[str] = Counter()
    for number, user in enumerate(demo.users):
        await users_repository.insert_user(tx, user, None)
        counters.update(facets_of(user))
        if number % _USERS_IN_A_SLICE == 0:
            await tx.slice()
    await change_counters(tx, counters)
    await organizations_repository.insert_memberships(tx, demo.memberships)
    await mfa_repository.insert_factors(tx, [sealed(mfa, tx.tenant_id, factor) for factor in demo.factors])
    for user_id, codes in demo.backup_codes.items():
        made_at = time_of(user_id) + _HOUR + _MINUTE
        hashes = [mfa.hash_backup_code(tx.tenant_id, user_id, code) for code in codes]
        await factors_repository.insert_backup_codes(tx, user_id, hashes, made_at)
    await sessions_repository.insert_sessions(tx, demo.sessions)
    await tx.slice()
    await audit.record_many(tx, context, [user_created(user, PasswordOrigin.NONE) for user in demo.users])


def make_roles(dice: random.Random, at_ms: int) -> list[Role]:
    """Return the demo tenant's own roles."""
    return [
        Role(id_at(dice, IdPrefix.ROLE, at_ms), name, text, permissions, privileged, at_ms, at_ms, 1)
        for name, text, permissions, privileged in _ROLES
    ]


def id_at(dice: random.Random, prefix: IdPrefix, at_ms: int) -> str:
    """Return an id that was made at this time."""
    return f"{prefix.value}_{encode_ulid(at_ms << _ULID_RANDOM_BITS | dice.getrandbits(_ULID_RANDOM_BITS))}"


def organization_of(organization_id: str, name: str, at_ms: int) -> Organization:
    """Return an organization that was made at this time."""
    return Organization(organization_id, name, at_ms, at_ms, 1, slug_of(name, organization_id), fold(name))


def _users(dice: random.Random, now_ms: int) -> list[User]:
    people = list(PEOPLE)
    dice.shuffle(people)
    # More sign up as time goes on; the newest came an hour ago.
    births = sorted(now_ms - _HOUR - round(_YEARS_BACK_MS * dice.random() ** 2) for _ in people)
    states = _dealt(dice, _STATES, State.ACTIVE, len(people))
    roles = _dealt(dice, _ROLE_COUNTS, BuiltinRole.MEMBER.value, len(people))
    roles[:2] = [BuiltinRole.SUPER_ADMIN.value] * 2
    return [
        _in_state(dice, _person(dice, number, people[number], births[number], roles[number]), states[number], now_ms)
        for number in range(len(people))
    ]


def _dealt(dice: random.Random, counts: Mapping[T, int], rest: T, total: int) -> list[T]:
    """Return `total` values: each as often as `counts` says, the others `rest`, shuffled but for the first few."""
    dealt = [value for value, count in counts.items() for _ in range(count)]
    dealt += [rest] * (total - _ALWAYS_WELL - len(dealt))
    dice.shuffle(dealt)
    return [rest] * _ALWAYS_WELL + dealt


def _person(dice: random.Random, number: int, person: tuple[str, str], created_at: int, role: str) -> User:
    """Return someone who signed up at `created_at` and has not been seen since."""
    name, local = person
    email = f"{local}@{dice.choice(_DOMAINS)}"
    phone = f"+1{dice.choice(_AREA_CODES)}55501{dice.randrange(100):02d}" if dice.random() < _HAS_PHONE else None
    public = {"plan": dice.choice(PLANS), "language": dice.choice(LANGUAGES)}
    private = {"crm_score": dice.randrange(100)} if dice.random() < _HAS_NOTES else {}
    return User(
        id=id_at(dice, IdPrefix.USER, created_at),
        email=email,
        email_key=email_key(email),
        email_verified=dice.random() < _IS_VERIFIED,
        username=local.replace(".", "_") if dice.random() < _HAS_USERNAME else None,
        name=name,
        name_key=fold(name),
        phone=phone,
        phone_verified=phone is not None and dice.random() < _IS_VERIFIED,
        avatar_url=None,
        external_id=f"crm-{10_000 + number}" if dice.random() < _HAS_EXTERNAL_ID else None,
        role=role,
        disabled=False,
        disabled_at=None,
        disabled_by=None,
        disabled_reason=None,
        banned_at=None,
        banned_by=None,
        banned_until=None,
        ban_reason=None,
        locked_at=None,
        locked_until=None,
        invited_at=None,
        deleted_at=None,
        deleted_by=None,
        deleted_reason=None,
        password_reset_required=dice.random() < _MUST_RESET,
        mfa_enrolled=dice.random() < _HAS_MFA,
        public_metadata=msgspec.json.encode(public).decode(),
        private_metadata=msgspec.json.encode(private).decode(),
        created_at=created_at,
        updated_at=created_at,
        last_sign_in_at=None,
        last_active_at=None,
        generation=1,
        version=1,
    )


def _in_state(dice: random.Random, user: User, state: State, now_ms: int) -> User:
    """Return `user` after a life that ended in `state`: `at` is when that began, somewhere between sign-up and now."""
    at = user.created_at + round((now_ms - user.created_at) * (0.5 + dice.random() / 2))
    if state is State.PENDING:
        return replace(user, invited_at=user.created_at, email_verified=False, mfa_enrolled=False)
    signed_in_at = user.created_at + round((at - user.created_at) * dice.random())
    active_at = min(at, signed_in_at + round(_DAY * dice.random()))
    user = replace(user, last_sign_in_at=signed_in_at, last_active_at=active_at, updated_at=at, version=2)
    changes: dict[str, Any] = {}
    if state is State.DISABLED:
        changes = {"disabled": True, "disabled_at": at, "disabled_by": "cli", "disabled_reason": dice.choice(_REASONS)}
    elif state is State.BANNED:
        until = now_ms + 90 * _DAY if dice.random() < _BAN_ENDS else None
        reason = dice.choice(_BAN_REASONS)
        changes = {"banned_at": at, "banned_by": "cli", "banned_until": until, "ban_reason": reason}
    elif state is State.LOCKED:
        changes = {"locked_at": now_ms - _HOUR, "locked_until": now_ms + _LOCKED_FOR_MS}
    elif state is State.BINNED:
        deleted_at = now_ms - round(20 * _DAY * dice.random())
        changes = {"deleted_at": deleted_at, "deleted_by": "cli", "deleted_reason": dice.choice(_REASONS)}
    return replace(user, **changes) if changes else replace(user, updated_at=user.created_at, version=1)


def _factors(dice: random.Random, user: User) -> list[Factor]:
    kinds = [FactorType.TOTP, FactorType.WEBAUTHN][: dice.choice((1, 1, 2))] if user.mfa_enrolled else []
    return [factor_of(dice, user, kind) for kind in kinds]


def factor_of(dice: random.Random, user: User, kind: FactorType) -> Factor:
    """Return a factor that the user enrolled an hour after signing up. The secret of an app is open."""
    at = user.created_at + _HOUR
    factor_id = id_at(dice, IdPrefix.FACTOR, at)
    return _factor(dice, Factor(factor_id, user.id, kind, _FACTOR_NAMES[kind], at + _MINUTE, at))


def _factor(dice: random.Random, factor: Factor) -> Factor:
    """Return a factor with what its kind has: the secret of an app, or the credential of a passkey."""
    if factor.type is FactorType.TOTP:
        return replace(factor, secret="".join(dice.choices(_BASE32, k=_SECRET_LENGTH)).encode())
    key = ec.derive_private_key(dice.getrandbits(_KEY_BITS) + 1, ec.SECP256R1()).public_key().public_numbers()
    cose = {1: 2, 3: -7, -1: 1, -2: key.x.to_bytes(32, "big"), -3: key.y.to_bytes(32, "big")}
    credential_id = urlsafe_b64encode(dice.randbytes(_CREDENTIAL_BYTES)).rstrip(b"=").decode()
    return replace(factor, credential_id=credential_id, public_key=encode_cbor(cose), sign_count=dice.randrange(100))


def _backup_codes(dice: random.Random) -> list[str]:
    return ["".join(dice.choices(_BASE32, k=BACKUP_CODE_LENGTH)) for _ in range(BACKUP_CODES)]


def sealed(mfa: MfaService, tenant_id: str, factor: Factor) -> Factor:
    """Return a factor as it is stored."""
    if factor.secret is None:
        return factor
    return replace(factor, secret=mfa.seal_secret(tenant_id, factor.id, factor.secret.decode()))


def _sessions(dice: random.Random, user: User, now_ms: int) -> list[Session]:
    """Return up to three live sessions of someone who can sign in."""
    if user.last_sign_in_at is None or user.disabled or user.banned_at is not None or user.deleted_at is not None:
        return []
    found: list[Session] = []
    for _ in range(dice.choice((0, 0, 1, 1, 2, 3))):
        created_at = max(user.created_at, now_ms - round(_SESSION_MS * dice.random()))
        access_expires_at = min(now_ms, created_at) + _ACCESS_TOKEN_MS
        session_id = id_at(dice, IdPrefix.SESSION, created_at)
        found.append(Session(session_id, user.id, created_at, created_at + _SESSION_MS, access_expires_at))
    return found


def _memberships(dice: random.Random, organizations: Sequence[Organization], users: Sequence[User]) -> list[Membership]:
    alive = [user for user in users if user.deleted_at is None]
    found: list[Membership] = []
    for organization, (_, size) in zip(organizations, _ORGANIZATIONS, strict=True):
        for number, user in enumerate(dice.sample(alive, size)):
            role = "owner" if number == 0 else dice.choice(_MEMBERSHIP_ROLES)
            found.append(Membership(organization.id, user.id, role, user.created_at + _HOUR))
    return found
