"""Creating users on both stores: what is stored and shown, what is refused, and what the audit log says."""

import asyncio
import threading
from typing import Any

import argon2
import msgspec
import pytest

from hellojohn_server.features.users.errors import EmailAlreadyExists, EmailBanned
from hellojohn_server.features.users.schemas import CreateUserBody, UserBody
from hellojohn_server.features.users.service import UserService
from hellojohn_server.kit.errors import ApiError, IdempotencyKeyReused, InsufficientScope, Invalid
from hellojohn_server.kit.passwords import PasswordHasher, PasswordHashingBusy
from tests.conftest import START_MS
from tests.features.tenants.parts import key_context, retry_key
from tests.features.users.parts import ADMIN, GET_PASSWORD, UserParts, told, with_retry

NOW = "2026-09-21T14:13:20.000Z"
BCRYPT = "$2b$12$abcdefghijklmnopqrstuu5s0t1uhxKQXGJ4Z6ZyJcQ0yWvVbYfK2"


def body(**values: Any) -> CreateUserBody:
    return msgspec.convert({"email": "alice@example.com", **values}, CreateUserBody)


async def test_a_user_with_nothing_but_an_address(parts: UserParts, tenant_id: str) -> None:
    made = await parts.users.create_user(key_context(tenant_id), body())

    assert msgspec.to_builtins(made) == {
        "id": made.id,
        "email": "alice@example.com",
        "email_verified": False,
        "username": None,
        "name": None,
        "phone": None,
        "phone_verified": False,
        "avatar_url": None,
        "external_id": None,
        "role": "member",
        "status": "active",
        "disabled": False,
        "disabled_reason": None,
        "banned": False,
        "ban": None,
        "locked_until": None,
        "mfa_enrolled": False,
        "password_reset_required": False,
        "public_metadata": {},
        "private_metadata": {},
        "created_at": NOW,
        "updated_at": NOW,
        "last_sign_in_at": None,
        "last_active_at": None,
        "version": 1,
    }
    assert made == await parts.users.get_user(tenant_id, made.id)
    assert told(await parts.entries(tenant_id)) == [
        (
            "user.created",
            made.id,
            None,
            {"email": (None, "alice@example.com"), "role": (None, "member")},
            {"password": "none"},
        )
    ]


async def test_a_user_with_everything(parts: UserParts, tenant_id: str) -> None:
    given = {
        "email": "José.Müller@Example.com",
        "name": "José Müller",
        "username": "Jose.M",
        "phone": "+14155552671",
        "phone_verified": True,
        "avatar_url": "https://example.com/jose.png",
        "external_id": "crm-7",
        "email_verified": True,
        "public_metadata": {"plan": "pro", "tags": ["a", None], "unset": None},
        "private_metadata": {"score": 1.5, "nested": {"ok": True, "unset": None}},
    }
    made = await parts.users.create_user(key_context(tenant_id), body(**given, password="correct horse"))

    shown = msgspec.to_builtins(made)
    assert {name: shown[name] for name in given if "metadata" not in name} == {
        name: value for name, value in given.items() if "metadata" not in name
    }
    assert made.public_metadata == {"plan": "pro", "tags": ["a", None]}
    assert made.private_metadata == {"score": 1.5, "nested": {"ok": True}}
    stored = await parts.stored(tenant_id, made.id)
    assert (stored.email_key, stored.name_key) == ("josé.müller@example.com", "jose muller")
    [(password_hash,)] = await parts.rows(tenant_id, GET_PASSWORD, user_id=made.id)
    assert argon2.PasswordHasher().verify(password_hash, "correct horse")
    [entry] = told(await parts.entries(tenant_id))
    assert entry[3] == {
        "email": (None, "José.Müller@Example.com"),
        "email_verified": (False, True),
        "username": (None, "Jose.M"),
        "name": (None, "José Müller"),
        "phone": (None, "+14155552671"),
        "phone_verified": (False, True),
        "avatar_url": (None, "https://example.com/jose.png"),
        "external_id": (None, "crm-7"),
        "role": (None, "member"),
        "public_metadata.plan": (None, "pro"),
        "public_metadata.tags": (None, ["a", None]),
        "private_metadata.score": (None, 1.5),
        "private_metadata.nested": (None, {"ok": True}),
    }
    assert entry[4] == {"password": "set"}
    assert password_hash not in repr(entry)
    assert "horse" not in repr(entry)


async def test_a_hash_of_another_system_is_kept_as_it_is(parts: UserParts, tenant_id: str) -> None:
    made = await parts.users.create_user(key_context(tenant_id), body(password_hash=BCRYPT))
    assert await parts.rows(tenant_id, GET_PASSWORD, user_id=made.id) == [(BCRYPT,)]
    [entry] = told(await parts.entries(tenant_id))
    assert entry[4] == {"password": "imported"}
    assert BCRYPT not in repr(entry)


@pytest.mark.parametrize("banned_until", [None, START_MS + 1])
async def test_an_address_that_was_banned_with_an_erased_user_is_closed(
    parts: UserParts, tenant_id: str, other_tenant_id: str, banned_until: int | None
) -> None:
    await parts.close_address(tenant_id, "alice@example.com", banned_until)
    with pytest.raises(EmailBanned):
        await parts.users.create_user(key_context(tenant_id), body(email="ALICE@example.com"))
    assert await parts.counted(tenant_id) == {}
    assert await parts.entries(tenant_id) == []
    await parts.make(tenant_id, "bob@example.com")
    await parts.make(other_tenant_id)


async def test_it_is_open_again_when_the_ban_has_ended(parts: UserParts, tenant_id: str) -> None:
    await parts.close_address(tenant_id, "alice@example.com", START_MS)
    assert (await parts.make(tenant_id)).email == "alice@example.com"


@pytest.mark.parametrize(
    ("taken", "again", "code"),
    [
        ({}, {"email": "ALICE@example.com"}, "email_already_exists"),
        ({"email": "josé@example.com"}, {"email": "jose\u0301@example.com"}, "email_already_exists"),
        ({"username": "Al"}, {"email": "b@example.com", "username": "AL"}, "username_already_exists"),
        ({"external_id": "7"}, {"email": "b@example.com", "external_id": "7"}, "external_id_already_exists"),
        ({"state_deleted_at": START_MS}, {}, "email_in_recycle_bin"),
        ({"state_banned_at": START_MS}, {}, "email_banned"),
        ({"state_banned_at": 1, "state_banned_until": START_MS + 1}, {}, "email_banned"),
        ({"state_banned_at": 1, "state_banned_until": START_MS}, {}, "email_already_exists"),
        ({"state_banned_at": 1, "state_deleted_at": 1}, {}, "email_in_recycle_bin"),
    ],
)
async def test_what_is_taken(
    parts: UserParts, tenant_id: str, other_tenant_id: str, taken: dict[str, Any], again: dict[str, Any], code: str
) -> None:
    await parts.make(tenant_id, **{"email": "alice@example.com", **taken})
    before = len(await parts.entries(tenant_id))
    with pytest.raises(ApiError) as refused:
        await parts.users.create_user(key_context(tenant_id), body(**again))
    assert (refused.value.status, refused.value.code) == (409, code)
    assert len(await parts.entries(tenant_id)) == before
    assert (await parts.users.create_user(key_context(other_tenant_id), body(**again))).version == 1


@pytest.mark.parametrize(
    ("given", "error", "faults"),
    [
        ({"send_invitation": True, "password": "correct horse"}, Invalid, [("send_invitation", "invalid")]),
        ({"send_invitation": True, "password_hash": BCRYPT}, Invalid, [("send_invitation", "invalid")]),
        ({"role": "nobody"}, Invalid, [("role", "unknown")]),
        ({"phone_verified": True}, Invalid, [("phone_verified", "invalid")]),
        ({"password": "correct horse", "password_hash": BCRYPT}, Invalid, [("password_hash", "invalid")]),
        (
            {
                "role": "nobody",
                "send_invitation": True,
                "phone_verified": True,
                "password": "correct horse",
                "password_hash": BCRYPT,
            },
            Invalid,
            [
                ("phone_verified", "invalid"),
                ("password_hash", "invalid"),
                ("send_invitation", "invalid"),
                ("role", "unknown"),
            ],
        ),
    ],
)
async def test_what_is_wrong_is_said_at_once(
    parts: UserParts, tenant_id: str, given: dict[str, Any], error: type[Invalid], faults: list[tuple[str, str]]
) -> None:
    with pytest.raises(Invalid) as refused:
        await parts.users.create_user(key_context(tenant_id), body(**given))
    assert type(refused.value) is error
    assert [(fault.field, fault.code) for fault in refused.value.details] == faults
    assert await parts.entries(tenant_id) == []
    assert await parts.counted(tenant_id) == {}


async def test_a_role_of_the_tenants_own(parts: UserParts, tenant_id: str, other_tenant_id: str) -> None:
    await parts.add_role(tenant_id, "editor")
    made = await parts.users.create_user(key_context(tenant_id), body(role="editor"))
    assert made.role == "editor"
    with pytest.raises(Invalid):
        await parts.users.create_user(key_context(other_tenant_id), body(role="editor"))


@pytest.mark.parametrize("role", ["admin", "super_admin", "owner"])
async def test_a_privileged_role_needs_admins_manage(parts: UserParts, tenant_id: str, role: str) -> None:
    await parts.add_role(tenant_id, "owner", privileged=True)
    for scopes in (("*",), ("users:*",), ("users:write",)):
        with pytest.raises(InsufficientScope) as refused:
            await parts.users.create_user(key_context(tenant_id, scopes=scopes), body(role=role))
        assert [scope.value for scope in refused.value.missing] == ["admins:manage"]
    assert (await parts.users.create_user(key_context(tenant_id, scopes=ADMIN), body(role=role))).role == role


async def test_of_200_at_once_one_wins(parts: UserParts, tenant_id: str) -> None:
    context = key_context(tenant_id)
    outcomes = await asyncio.gather(
        *(parts.users.create_user(context, body(email=f"{'aA'[n % 2]}lice@example.com")) for n in range(200)),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, UserBody) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, EmailAlreadyExists) for outcome in outcomes) == 199
    assert len(await parts.entries(tenant_id)) == 1
    assert await parts.counted(tenant_id) == {"total": 1, "role:member": 1}


async def test_a_retry_is_answered_as_the_first_time(parts: UserParts, tenant_id: str) -> None:
    context = key_context(tenant_id)
    first = await parts.users.create_user(with_retry(context, retry_key()), body(password="correct horse"))
    parts.clock.advance(60)
    again = await parts.users.create_user(with_retry(context, retry_key()), body(password="correct horse"))
    assert again == first
    assert len(await parts.entries(tenant_id)) == 1
    with pytest.raises(IdempotencyKeyReused):
        await parts.users.create_user(with_retry(context, retry_key(b"other")), body(email="b@example.com"))


async def test_a_retry_is_refused_to_who_may_no_longer(parts: UserParts, tenant_id: str) -> None:
    await parts.add_role(tenant_id, "owner", privileged=True)
    allowed = key_context(tenant_id, scopes=ADMIN)
    await parts.users.create_user(with_retry(allowed, retry_key()), body(role="owner"))
    with pytest.raises(InsufficientScope):
        await parts.users.create_user(with_retry(key_context(tenant_id), retry_key()), body(role="owner"))


async def test_another_tenant_sees_nothing(parts: UserParts, tenant_id: str, other_tenant_id: str) -> None:
    await parts.make(tenant_id)
    assert await parts.entries(other_tenant_id) == []
    assert await parts.counted(other_tenant_id) == {}


async def test_a_full_queue_of_passwords_makes_no_user(parts: UserParts, tenant_id: str) -> None:
    hasher = PasswordHasher(threads=1, waiting=0)
    users = UserService(
        parts.database,
        parts.ids,
        parts.clock,
        parts.log,
        roles=parts.roles,
        sessions=parts.sessions,
        passwords=parts.new_passwords(hasher),
        addresses=parts.addresses,
        mailer=parts.mailer,
    )
    released = threading.Event()
    hasher._executor.submit(released.wait)
    first = asyncio.create_task(users.create_user(key_context(tenant_id), body(password="correct horse")))
    await asyncio.sleep(0)
    with pytest.raises(PasswordHashingBusy):
        await users.create_user(key_context(tenant_id), body(email="b@example.com", password="correct horse"))
    assert (await users.create_user(key_context(tenant_id), body(email="c@example.com"))).version == 1
    released.set()
    assert (await first).version == 1
    assert [entry.type for entry in await parts.entries(tenant_id)] == ["user.created"] * 2
    hasher.close()
