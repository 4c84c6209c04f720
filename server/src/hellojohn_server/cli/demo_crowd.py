"""A demo tenant's crowd: any number of invented users, skewed as real ones are, the same ones for the same seed.

A few names, mail domains and organizations have much of everybody, most have little: a search for Smith finds one or
two in a hundred, for Quillthorpe one in tens of thousands. Users are made in the order in which they signed up, some at
a time, and nothing is kept of those before; their number is in their address, so that no two have the same.
"""

import random
from bisect import bisect
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any, Final, Generic, TypeVar

import msgspec

from hellojohn_server.cli.demo import LANGUAGES, PLANS, State, factor_of, id_at, make_roles, organization_of
from hellojohn_server.cli.demo_names import COMPANY_HEADS, COMPANY_TAILS, MAIL_DOMAINS, NAMINGS
from hellojohn_server.features.mfa.schemas import Factor, FactorType
from hellojohn_server.features.organizations.schemas import Membership, Organization, slug_of
from hellojohn_server.features.roles.schemas import Role
from hellojohn_server.features.users.schemas import User
from hellojohn_server.kit.builtin_roles import BuiltinRole
from hellojohn_server.kit.ids import IdPrefix
from hellojohn_server.kit.text import email_key, fold

T = TypeVar("T")

_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 24 * _HOUR_MS
_YEARS_BACK_MS: Final = 3 * 365 * _DAY_MS
_LOCKED_FOR_MS: Final = 365 * _DAY_MS

_FROM_A_COMPANY: Final = 0.2
_IS_MEMBER: Final = 0.08
"""Of those whose address is no company's. Of the others _OF_THEIR_OWN are in their company."""
_OF_THEIR_OWN: Final = 0.75
_ORGANIZATION_SKEW: Final = 1.2
_MEMBERSHIP_ROLES: Final = (("member", 88), ("admin", 11), ("owner", 1))
_STATES: Final = (
    (State.ACTIVE, 899),
    (State.DISABLED, 50),
    (State.PENDING, 30),
    (State.BANNED, 10),
    (State.BINNED, 10),
    (State.LOCKED, 1),
)
_ROLES: Final = (
    (BuiltinRole.MEMBER.value, 9_700),
    ("support_agent", 180),
    ("billing_manager", 90),
    (BuiltinRole.ADMIN.value, 25),
    ("security_officer", 5),
)
_SUPER_ADMINS: Final = 2
_HAS_NAME: Final = 0.97
_HAS_PHONE: Final = 0.35
_HAS_USERNAME: Final = 0.5
_HAS_EXTERNAL_ID: Final = 0.4
_HAS_MFA: Final = 0.2
_IS_VERIFIED: Final = 0.85
_MUST_RESET: Final = 0.02
_SIGNED_IN: Final = 0.85
_BAN_ENDS: Final = 0.5
_REASONS: Final = ("Left the company", "Requested by the account owner", "Under review", None)
_AREA_CODES: Final = ("202", "212", "312", "415", "617", "808")
_CODES: Final = 10_000_000
_STRIDE: Final = 7_368_787
"""Prime, so that numbers in a row get codes that are far apart, and none gets another's."""


class Some(msgspec.Struct, frozen=True):
    """Some of the crowd, in the order of signing up, with what belongs to them. The factors' secrets are open."""

    users: list[User]
    memberships: list[Membership]
    factors: list[Factor]


class Chances(msgspec.Struct, Generic[T], frozen=True):
    """Values of which some are drawn oftener than others."""

    values: Sequence[T]
    upto: list[float]

    def draw(self, dice: random.Random) -> T:
        """Return one of the values."""
        return self.values[bisect(self.upto, dice.random() * self.upto[-1])]


def chances(weighted: Sequence[tuple[T, float]]) -> Chances[T]:
    """Return values with their weights."""
    return Chances([value for value, _ in weighted], list(accumulate(weight for _, weight in weighted)))


def by_rank(values: Sequence[T], *, power: float = 1.0, flat: int = 5) -> Chances[T]:
    """Return values each drawn less often than the one before: as 1 / (rank + flat) to a power."""
    return chances([(value, (rank + flat) ** -power) for rank, value in enumerate(values, 1)])


_GIVEN: Final = [by_rank(naming.given, flat=8) for naming in NAMINGS]
_FAMILY: Final = [by_rank(naming.family) for naming in NAMINGS]
_NAMING: Final = chances([(place, naming.weight) for place, naming in enumerate(NAMINGS)])
_MAIL: Final = chances(MAIL_DOMAINS)
_STATE: Final = chances(_STATES)
_ROLE: Final = chances(_ROLES)
_MEMBERSHIP_ROLE: Final = chances(_MEMBERSHIP_ROLES)


class Crowd:
    """The crowd of one tenant: what there is before the users, and then the users."""

    def __init__(self, now_ms: int, users: int, seed: int) -> None:
        self._dice = random.Random(seed)  # noqa: S311 - invents people, guards nothing
        self._now_ms = now_ms
        self._users = users
        self._seed = seed
        begun = now_ms - _YEARS_BACK_MS
        self.roles: list[Role] = make_roles(self._dice, begun)
        self.organizations: list[Organization] = [
            organization_of(id_at(self._dice, IdPrefix.ORGANIZATION, begun), name, begun) for name in _company_names()
        ]
        domains = [f"{slug_of(one.name, one.id)}.example" for one in self.organizations]
        own = list(zip([one.id for one in self.organizations], domains, strict=True))
        self._companies = by_rank(own, power=_ORGANIZATION_SKEW, flat=1)

    def some(self, count: int) -> Iterator[Some]:
        """Yield all the users, up to `count` at a time. Once only: the dice go on."""
        for start in range(0, self._users, count):
            made = Some([], [], [])
            for number in range(start, min(start + count, self._users)):
                self._add(made, number)
            yield made

    def _add(self, made: Some, number: int) -> None:
        dice = self._dice
        organization_id, domain = self._companies.draw(dice)
        is_employed = dice.random() < _FROM_A_COMPANY
        user = self._person(number, domain if is_employed else _MAIL.draw(dice))
        made.users.append(user)
        if dice.random() < (_OF_THEIR_OWN if is_employed else _IS_MEMBER):
            at = user.created_at + _HOUR_MS
            made.memberships.append(Membership(organization_id, user.id, _MEMBERSHIP_ROLE.draw(dice), at))
        if user.mfa_enrolled:
            made.factors.append(factor_of(dice, user, FactorType.TOTP))

    def _created_at(self, number: int) -> int:
        """Return when the user of this number signed up: after the one before, and more as time goes on."""
        share = 1 - (number + self._dice.random()) / self._users
        return self._now_ms - _HOUR_MS - int((_YEARS_BACK_MS - _HOUR_MS) * share * share)

    def _person(self, number: int, domain: str) -> User:
        dice = self._dice
        name, given, family = _name(dice)
        code = _code(number, self._seed)
        local = _local_part(dice.random(), given, family, code)
        created_at = self._created_at(number)
        email = f"{local}@{domain}"
        phone = _phone(dice) if dice.random() < _HAS_PHONE else None
        is_of_first = number < _SUPER_ADMINS
        state = State.ACTIVE if is_of_first else _STATE.draw(dice)
        has_name = dice.random() < _HAS_NAME
        return User(
            id=id_at(dice, IdPrefix.USER, created_at),
            email=email,
            email_key=email_key(email),
            email_verified=dice.random() < _IS_VERIFIED and state is not State.PENDING,
            username=f"{given}_{code}" if dice.random() < _HAS_USERNAME else None,
            name=name if has_name else None,
            name_key=fold(name) if has_name else None,
            phone=phone,
            phone_verified=phone is not None and dice.random() < _IS_VERIFIED,
            external_id=f"crm-{code}" if dice.random() < _HAS_EXTERNAL_ID else None,
            role=BuiltinRole.SUPER_ADMIN.value if is_of_first else _ROLE.draw(dice),
            password_reset_required=dice.random() < _MUST_RESET,
            mfa_enrolled=dice.random() < _HAS_MFA and state is not State.PENDING,
            public_metadata=f'{{"plan":"{dice.choice(PLANS)}","language":"{dice.choice(LANGUAGES)}"}}',
            private_metadata=f'{{"crm_score":{int(dice.random() * 100)}}}',
            created_at=created_at,
            **self._life(state, created_at),
        )

    def _life(self, state: State, created_at: int) -> dict[str, Any]:
        """Return what became of a user who signed up at `created_at`. Most of those who come at all came lately."""
        dice, now = self._dice, self._now_ms
        if state is State.PENDING:
            return {"invited_at": created_at, "updated_at": created_at}
        facts: dict[str, Any] = {"updated_at": created_at}
        age = now - created_at
        if dice.random() < _SIGNED_IN:
            facts["last_sign_in_at"] = now - int(age * dice.random() ** 3)
            facts["last_active_at"] = min(now, facts["last_sign_in_at"] + int(_DAY_MS * dice.random()))
        if state is State.ACTIVE:
            return facts
        at = now - int(age * dice.random() / 2)
        facts |= {"updated_at": at, "version": 2}
        if state is State.DISABLED:
            facts |= {
                "disabled": True,
                "disabled_at": at,
                "disabled_by": "cli",
                "disabled_reason": dice.choice(_REASONS),
            }
        elif state is State.BANNED:
            until = now + 90 * _DAY_MS if dice.random() < _BAN_ENDS else None
            facts |= {"banned_at": at, "banned_by": "cli", "banned_until": until, "ban_reason": dice.choice(_REASONS)}
        elif state is State.LOCKED:
            facts |= {"locked_at": now - _HOUR_MS, "locked_until": now + _LOCKED_FOR_MS}
        else:
            deleted_at = now - int(min(age, 20 * _DAY_MS) * dice.random())
            facts |= {"deleted_at": deleted_at, "deleted_by": "cli", "deleted_reason": dice.choice(_REASONS)}
        return facts


def _company_names() -> list[str]:
    """Return every head with every tail, neighbours with another tail each."""
    tails = len(COMPANY_TAILS)
    return [
        f"{head} {COMPANY_TAILS[(place + turn) % tails]}"
        for turn in range(tails)
        for place, head in enumerate(COMPANY_HEADS)
    ]


def _name(dice: random.Random) -> tuple[str, str, str]:
    """Return a name as it is written, and its two parts as they stand in an e-mail address."""
    place = _NAMING.draw(dice)
    naming = NAMINGS[place]
    given, plain_given = _GIVEN[place].draw(dice)
    family, plain_family = _FAMILY[place].draw(dice)
    written = f"{family}{naming.joint}{given}" if naming.family_first else f"{given}{naming.joint}{family}"
    return written, plain_given, plain_family


def _phone(dice: random.Random) -> str:
    """Return one of the numbers that are set aside for invented people."""
    return f"+1{dice.choice(_AREA_CODES)}55501{int(dice.random() * 100):02d}"


def _code(number: int, seed: int) -> str:
    """Return digits that no other number of the same seed has."""
    code = (number * _STRIDE + seed * _STRIDE // 3) % _CODES
    return str(code) if number < _CODES else f"{number // _CODES}{code:07d}"


def _local_part(chance: float, given: str, family: str, code: str) -> str:
    """Return the part of an address before the @: one of the ways in which people make it of their names."""
    if chance < 0.55:  # noqa: PLR2004 - the share of each way
        return f"{given}.{family}{code}"
    if chance < 0.75:  # noqa: PLR2004 - as above
        return f"{given}{family}{code}"
    if chance < 0.9:  # noqa: PLR2004 - as above
        return f"{given[0]}.{family}{code}"
    return f"{given}_{code}"
