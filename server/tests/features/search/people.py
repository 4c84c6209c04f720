"""People to find, how they get into a store, and a plain model of what must be found."""

import random
from collections.abc import Mapping, Sequence
from typing import Any, Final

from hellojohn_server.features.search.schemas import Direction, SortField, UserFilter, UserOrder
from hellojohn_server.features.users.repository import insert_user, update_counters
from hellojohn_server.features.users.schemas import User, UserStatus, status_of
from hellojohn_server.kit.ids import IdPrefix, first_id_at
from hellojohn_server.kit.text import email_key, fold, search_text, words
from hellojohn_server.storage.database import Database, Exempt, Transaction
from hellojohn_server.storage.sql import Statement
from tests.conftest import START_MS

DAY_MS: Final = 86_400_000
NAMES: Final = (
    "José García", "jose garcia", "Jürgen Müller", "Jurgen Muller", "Straße Groß", "Strasse Gross",
    "İlknur Işık", "Ирина Петрова", "Пётр Ёлкин", "李小龙", "王芳", "山田 太郎", "김민준", "محمد علي",
    "עדי כהן", "नेहा शर्मा", "😀 Smile", "👩\u200d🚀 Астронавт", "𝒜lice 𝔹ob", "Ana", "ana", "Ann-Marie O'Neil",
    "100% Percent", "under_score", "back\\slash", 'Quote "Double" Q', "semi;colon -- x", "AND OR NOT",
    "NEAR(a b)", "a* b^", "Łukasz Żółć", "Æther Øre", "ﬁnn ﬂynn", "ὈΔΥΣΣΕΎΣ", "Nguyễn Văn An",
    "Ａｌｉｃｅ", "e\u0301mile", "x", "Ö", "🜁🜂🜃🜄",
)  # fmt: skip
QUERIES: Final = (
    "jose", "JOSÉ", "garcia jose", "mull", "MÜL", "strasse", "ß", "ss", "gross", "ilk", "işik", "ирина",
    "пет", "елкин", "ё", "李", "李小", "李小龙", "小龙", "山田", "太", "김", "김민", "علي", "مح", "כהן", "नेह",
    "😀", "smile 😀", "👩\u200d🚀", "астро", "alice", "𝒜l", "an", "ann marie", "o'n", "o'", "100%", "%", "0%",
    "_sc", "r_s", "\\", "k\\s", '"double"', '"', "AND", "or not", "near(", "a*", "b^", "-- x", ";", "zzz",
    "example.com", "@example", "usr_0", "1", "12", "+4", "+49", "żółć", "æth", "ør", "finn fly", "οδυσ",
    "σεύς", "nguyen an", "e\u0301", "émile", "x ö", "a b", "", "  ", "smith smith", "...", "🜁🜂🜃", "🜂🜃🜄 🜁🜂🜃",
)  # fmt: skip

JOIN: Final = Statement(
    """
    INSERT INTO memberships (tenant_id, organization_id, user_id, role, created_at)
    VALUES (:tenant_id, :organization_id, :user_id, 'member', 0)
    """
)
ERASE: Final = Statement("DELETE FROM users WHERE tenant_id = :tenant_id AND id = :id")


def person(number: int, **changes: Any) -> User:
    """Return a user, all of whose values follow from `number`, but for `changes`."""
    created_at = changes.get("created_at", START_MS - 1_000 * DAY_MS + number * 60_000)
    defaults: dict[str, Any] = dict.fromkeys(User.__struct_fields__)
    defaults |= {
        "id": first_id_at(IdPrefix.USER, START_MS + number),
        "email": f"person{number}@example.com",
        "email_verified": False,
        "phone_verified": False,
        "role": "member",
        "disabled": False,
        "password_reset_required": False,
        "mfa_enrolled": False,
        "public_metadata": "{}",
        "private_metadata": "{}",
        "created_at": created_at,
        "updated_at": created_at,
        "generation": 1,
        "version": 1,
    }
    values = {**defaults, **changes}
    values["email_key"] = email_key(values["email"])
    values["name_key"] = None if values["name"] is None else fold(values["name"])
    return User(**values)


def people(number: int, seed: int = 7) -> list[User]:
    """Return users of many scripts and states, the same for the same arguments; no two were created at one time."""
    chance = random.Random(seed)
    return [_random_person(index, chance) for index in range(number)]


def _random_person(index: int, chance: random.Random) -> User:
    def sometimes(share: float, value: Any) -> Any:
        return value if chance.random() < share else None

    def around_now() -> int:
        return START_MS + chance.choice((-DAY_MS, -1, 0, 1, DAY_MS))

    name = sometimes(0.85, chance.choice(NAMES))
    local = "".join(letter for letter in fold(name or "x") if letter.isalnum())[:12] or "user"
    return person(
        index,
        created_at=START_MS - chance.randrange(1_000) * DAY_MS + index,
        email=f"{local}.{index}@{chance.choice(('example.com', 'Example.ORG', 'straße.de'))}",
        name=name,
        username=sometimes(0.3, f"nick_{index}"),
        phone=sometimes(0.3, f"+49{chance.randrange(10**9)}"),
        external_id=sometimes(0.3, f"ext-{index}"),
        role=chance.choices(("member", "admin", "super_admin"), (90, 8, 2))[0],
        email_verified=chance.random() < 0.7,
        mfa_enrolled=chance.random() < 0.3,
        disabled=chance.random() < 0.15,
        banned_at=sometimes(0.15, START_MS - DAY_MS),
        banned_until=sometimes(0.6, around_now()),
        locked_until=sometimes(0.2, around_now()),
        invited_at=sometimes(0.2, START_MS - DAY_MS),
        deleted_at=sometimes(0.1, START_MS - DAY_MS),
        last_sign_in_at=sometimes(0.6, START_MS - chance.randrange(5) * DAY_MS),
        last_active_at=sometimes(0.6, START_MS - chance.randrange(5) * DAY_MS),
    )


async def insert_people(
    database: Database, tenant_id: str, users: Sequence[User], members: Mapping[str, Sequence[str]] | None = None
) -> None:
    """Insert users, count them, and make them members of organizations (organization id -> user ids)."""

    async def insert(tx: Transaction) -> None:
        for user in users:
            await insert_user(tx, user, None)
        await update_counters(tx, counters_of(users))
        for organization_id, user_ids in (members or {}).items():
            rows: list[dict[str, Any]] = [{"organization_id": organization_id, "user_id": each} for each in user_ids]
            await tx.execute_many(JOIN, rows)

    await database.write(tenant_id, insert, type(None), exempt=Exempt.HOUSEKEEPING)


async def erase_person(database: Database, tenant_id: str, user_id: str) -> None:
    """Delete a user's row; the counters stay as they are."""

    async def erase(tx: Transaction) -> None:
        await tx.execute(ERASE, id=user_id)

    await database.write(tenant_id, erase, type(None), exempt=Exempt.HOUSEKEEPING)


def counters_of(users: Sequence[User]) -> dict[str, int]:
    """Return each facet's number of users outside the bin."""
    counters: dict[str, int] = {}
    for user in users:
        if user.deleted_at is None:
            facets = ["total", f"role:{user.role}"]
            facets += [name for name in ("disabled", "email_verified", "mfa_enrolled") if getattr(user, name)]
            for facet in facets:
                counters[facet] = counters.get(facet, 0) + 1
    return counters


def is_wanted(user: User, wanted: UserFilter, query: str, members: Mapping[str, Sequence[str]], now_ms: int) -> bool:
    """Say whether a user matches, by the words of the contract and nothing else."""
    status = status_of(user, now_ms)
    if wanted.status is None and status is UserStatus.DELETED:
        return False
    for name in ("disabled", "email_verified", "email_key", "external_id", "mfa_enrolled", "role"):
        asked = getattr(wanted, name)
        if asked is not None and getattr(user, name) != asked:
            return False
    inside = user.id in members.get(wanted.organization_id or "", ())
    return (
        (wanted.status is None or wanted.status is status)
        and (wanted.organization_id is None or inside)
        and _is_between(user.created_at, wanted.created_after, wanted.created_before)
        and _is_between(user.last_active_at, wanted.last_active_after, wanted.last_active_before)
        and all(_occurs(word, user) for word in fold(query).split())
    )


def _is_between(moment: int | None, after: int | None, before: int | None) -> bool:
    if after is None and before is None:
        return True
    return moment is not None and (after is None or moment > after) and (before is None or moment < before)


def _occurs(word: str, user: User) -> bool:
    fields = [user.email, user.name, user.username, user.phone, user.id]
    if len(word) >= 3:
        return any(word in fold(field) for field in fields if field is not None)
    letters = "".join(words(word))
    return any(each.startswith(letters) for each in words(search_text(*fields)))


def in_order(users: Sequence[User], order: UserOrder) -> list[User]:
    """Return users as the contract sorts them: those without the value last, those with the same by id."""
    name = {SortField.EMAIL: "email_key", SortField.NAME: "name_key"}.get(order.field, order.field.value)
    is_descending = order.direction is Direction.DESCENDING

    def key(user: User) -> tuple[Any, str]:
        value = getattr(user, name)
        return (value.encode() if isinstance(value, str) else value), user.id

    present = sorted((user for user in users if getattr(user, name) is not None), key=key, reverse=is_descending)
    absent = [user for user in users if getattr(user, name) is None]
    return present + sorted(absent, key=lambda user: user.id, reverse=is_descending)
