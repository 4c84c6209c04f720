"""Changing users on both stores: what changes and what does not, what is refused, and what the audit log says."""

import asyncio
from typing import Any

import msgspec
import pytest

from hellojohn_server.features.users.errors import EmailBanned, LastSuperAdmin, UserNotFound
from hellojohn_server.features.users.schemas import ChangedUserBody, UpdateUserBody
from hellojohn_server.kit.errors import ApiError, InsufficientScope, Invalid, VersionMismatch
from hellojohn_server.kit.text import search_prefixes, search_text
from hellojohn_server.storage.sql import Statement
from tests.conftest import START_MS
from tests.features.tenants.parts import key_context, retry_key
from tests.features.users.parts import ADMIN, UserParts, change, told, with_retry, with_version

GET_SEARCH = Statement(
    "SELECT search_text, search_prefixes FROM users WHERE tenant_id = :tenant_id AND id = :id",
    "SELECT search_text, array_to_string(search_prefixes, ' ') FROM users WHERE tenant_id = :tenant_id AND id = :id",
)
FULL = {
    "name": "Alice",
    "username": "alice",
    "phone": "+14155552671",
    "phone_verified": True,
    "avatar_url": "https://example.com/a.png",
    "external_id": "crm-7",
    "email_verified": True,
    "public_metadata": {"plan": "pro", "seats": 3, "nested": {"a": 1, "b": 2}},
}


@pytest.mark.parametrize(
    ("given", "changes", "shown"),
    [
        ({"name": "Zoë"}, {"name": ("Alice", "Zoë")}, {"name": "Zoë"}),
        ({"name": None}, {"name": ("Alice", None)}, {"name": None}),
        (
            {"username": None, "avatar_url": None, "external_id": None},
            {
                "username": ("alice", None),
                "avatar_url": ("https://example.com/a.png", None),
                "external_id": ("crm-7", None),
            },
            {"username": None, "avatar_url": None, "external_id": None},
        ),
        (
            {"phone": "+4930123456"},
            {"phone": ("+14155552671", "+4930123456"), "phone_verified": (True, False)},
            {"phone": "+4930123456", "phone_verified": False},
        ),
        (
            {"phone": "+4930123456", "phone_verified": True},
            {"phone": ("+14155552671", "+4930123456")},
            {"phone_verified": True},
        ),
        (
            {"phone": None},
            {"phone": ("+14155552671", None), "phone_verified": (True, False)},
            {"phone": None, "phone_verified": False},
        ),
        ({"email_verified": False}, {"email_verified": (True, False)}, {"email_verified": False}),
        (
            {"email": "a@example.org"},
            {"email": ("alice@example.com", "a@example.org"), "email_verified": (True, False)},
            {"email": "a@example.org", "email_verified": False},
        ),
        (
            {"email": "a@example.org", "email_verified": True},
            {"email": ("alice@example.com", "a@example.org")},
            {"email_verified": True},
        ),
        (
            {"email": "Alice@example.com"},
            {"email": ("alice@example.com", "Alice@example.com")},
            {"email": "Alice@example.com", "email_verified": True},
        ),
        ({"role": "editor"}, {"role": ("member", "editor")}, {"role": "editor"}),
        (
            {"public_metadata": {"plan": None, "seats": 4, "new": [None]}},
            {
                "public_metadata.plan": ("pro", None),
                "public_metadata.seats": (3, 4),
                "public_metadata.new": (None, [None]),
            },
            {"public_metadata": {"seats": 4, "nested": {"a": 1, "b": 2}, "new": [None]}},
        ),
        (
            {"public_metadata": {"nested": {"a": None, "c": 3}}, "private_metadata": {"x": True}},
            {
                "public_metadata.nested": ({"a": 1, "b": 2}, {"b": 2, "c": 3}),
                "private_metadata.x": (None, True),
            },
            {"public_metadata": {"plan": "pro", "seats": 3, "nested": {"b": 2, "c": 3}}},
        ),
        (
            {"public_metadata": {"seats": 3.0}},
            {"public_metadata.seats": (3, 3.0)},
            {},
        ),
    ],
)
async def test_changes(
    parts: UserParts, tenant_id: str, given: dict[str, Any], changes: dict[str, Any], shown: dict[str, Any]
) -> None:
    await parts.add_role(tenant_id, "editor")
    made = await parts.make(tenant_id, **FULL)
    parts.clock.advance(60)
    answer = await parts.users.update_user(key_context(tenant_id), made.id, change(**given, reason="asked by phone"))

    after = msgspec.to_builtins(answer)
    expected = {**msgspec.to_builtins(made), **given, **shown}
    expected |= {name: after[name] for name in ("public_metadata", "private_metadata") if name not in shown}
    assert after == {**expected, "version": 2, "updated_at": "2026-09-21T14:14:20.000Z"}
    assert after == msgspec.to_builtins(await parts.users.get_user(tenant_id, made.id))
    assert told(await parts.entries(tenant_id))[1:] == [("user.updated", made.id, "asked by phone", changes, {})]
    generation = (await parts.stored(tenant_id, made.id)).generation
    assert generation == (2 if {"email", "role"} & given.keys() else 1)
    assert await parts.counted(tenant_id) == await parts.recounted(tenant_id)


async def test_the_search_columns_follow_the_user(parts: UserParts, tenant_id: str) -> None:
    made = await parts.make(tenant_id, "José@Example.com", name="José Müller", username="Jo", phone="+493012345")
    text = search_text("José@Example.com", "José Müller", "Jo", "+493012345", made.id)
    assert await parts.rows(tenant_id, GET_SEARCH, id=made.id) == [(text, " ".join(search_prefixes(text)))]
    given = change(name="Ирина", phone=None, email="irina@example.com")
    await parts.users.update_user(key_context(tenant_id), made.id, given)
    text = search_text("irina@example.com", "Ирина", "Jo", None, made.id)
    assert await parts.rows(tenant_id, GET_SEARCH, id=made.id) == [(text, " ".join(search_prefixes(text)))]


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"name": "Alice"},
        {"reason": "none"},
        FULL,
        {"public_metadata": {}},
        {"public_metadata": {"unknown": None}},
        {"email": "alice@example.com", "role": "member", "disabled": False, "revoke_sessions": False},
    ],
)
async def test_what_is_so_already_changes_nothing(parts: UserParts, tenant_id: str, given: dict[str, Any]) -> None:
    made = await parts.make(tenant_id, **FULL)
    parts.clock.advance(60)
    answer = await parts.users.update_user(key_context(tenant_id), made.id, change(**given))
    assert msgspec.to_builtins(answer) == msgspec.to_builtins(made)
    assert len(await parts.entries(tenant_id)) == 1


async def test_both_kinds_of_change_make_both_entries_and_one_version(parts: UserParts, tenant_id: str) -> None:
    made = await parts.make(tenant_id)
    context = key_context(tenant_id)
    first = await parts.users.update_user(context, made.id, change(name="A", disabled=True, reason="left"))
    second = await parts.users.update_user(context, made.id, change(name="B", disabled=False))
    assert (first.version, second.version) == (2, 3)
    assert told(await parts.entries(tenant_id))[1:] == [
        ("user.updated", made.id, "left", {"name": (None, "A")}, {}),
        ("user.disabled", made.id, "left", {"disabled": (False, True)}, {"sessions_revoked": 0}),
        ("user.updated", made.id, None, {"name": ("A", "B")}, {}),
        ("user.enabled", made.id, None, {"disabled": (True, False)}, {}),
    ]


@pytest.mark.parametrize(
    ("given", "status", "code", "field"),
    [
        ({"email": "bob@example.com"}, 409, "email_already_exists", None),
        ({"email": "bin@example.com"}, 409, "email_in_recycle_bin", None),
        ({"email": "ban@example.com"}, 409, "email_banned", None),
        ({"username": "BOB"}, 409, "username_already_exists", None),
        ({"external_id": "bob"}, 409, "external_id_already_exists", None),
        ({"role": "nobody"}, 422, "validation_failed", "role"),
        ({"phone_verified": True}, 422, "validation_failed", "phone_verified"),
        ({"revoke_sessions": True}, 422, "validation_failed", "revoke_sessions"),
        ({"revoke_sessions": False}, 422, "validation_failed", "revoke_sessions"),
        ({"revoke_sessions": True, "disabled": False}, 422, "validation_failed", "revoke_sessions"),
        ({"public_metadata": {"b": "x" * 9000}}, 422, "validation_failed", "public_metadata"),
    ],
)
async def test_refusals(
    parts: UserParts, tenant_id: str, given: dict[str, Any], status: int, code: str, field: str | None
) -> None:
    made = await parts.make(tenant_id, public_metadata={"a": "x" * 9000})
    await parts.make(tenant_id, "bob@example.com", username="bob", external_id="bob")
    await parts.make(tenant_id, "bin@example.com", state_deleted_at=START_MS)
    await parts.make(tenant_id, "ban@example.com", state_banned_at=START_MS)
    with pytest.raises(ApiError) as refused:
        await parts.users.update_user(key_context(tenant_id), made.id, change(**{"name": "A", **given}))
    assert (refused.value.status, refused.value.code) == (status, code)
    assert [fault.field for fault in refused.value.details] == ([] if field is None else [field])
    assert await parts.users.get_user(tenant_id, made.id) == made
    assert len(await parts.entries(tenant_id)) == 4


async def test_every_fault_is_said_at_once(parts: UserParts, tenant_id: str) -> None:
    made = await parts.make(tenant_id, public_metadata={"a": "x" * 9000})
    given = {
        "role": "nobody",
        "phone_verified": True,
        "public_metadata": {"b": "x" * 9000},
        "revoke_sessions": True,
    }
    with pytest.raises(Invalid) as refused:
        await parts.users.update_user(key_context(tenant_id), made.id, change(**given))
    assert [(fault.field, fault.code) for fault in refused.value.details] == [
        ("revoke_sessions", "invalid"),
        ("role", "unknown"),
        ("public_metadata", "too_long"),
        ("phone_verified", "invalid"),
    ]


async def test_an_address_that_was_banned_with_an_erased_user_is_taken_by_nobody(
    parts: UserParts, tenant_id: str
) -> None:
    made = await parts.make(tenant_id, "bob@example.com")
    await parts.close_address(tenant_id, "alice@example.com", None)
    await parts.close_address(tenant_id, "bob@example.com", None)
    with pytest.raises(EmailBanned):
        await parts.users.update_user(key_context(tenant_id), made.id, change(email="Alice@example.com"))
    assert await parts.users.get_user(tenant_id, made.id) == made
    same = await parts.users.update_user(key_context(tenant_id), made.id, change(email="Bob@example.com"))
    assert same.email == "Bob@example.com"


async def test_an_address_needs_users_credentials(parts: UserParts, tenant_id: str) -> None:
    made = await parts.make(tenant_id)
    context = key_context(tenant_id, scopes=("users:write",))
    with pytest.raises(InsufficientScope) as refused:
        await parts.users.update_user(context, made.id, change(email="b@example.com"))
    assert [scope.value for scope in refused.value.missing] == ["users:credentials"]
    context = key_context(tenant_id, scopes=("users:write", "users:credentials"))
    assert (await parts.users.update_user(context, made.id, change(email="b@example.com"))).version == 2


@pytest.mark.parametrize("role", ["admin", "super_admin", "owner"])
@pytest.mark.parametrize("given", [{"name": "A"}, {"disabled": True}, {"disabled": False}, {}, {"role": "member"}])
async def test_never_upward(parts: UserParts, tenant_id: str, role: str, given: dict[str, Any]) -> None:
    await parts.add_role(tenant_id, "owner", privileged=True)
    made = await parts.make(tenant_id, role=role)
    await parts.make(tenant_id, "other@example.com", role="super_admin")
    with pytest.raises(InsufficientScope) as refused:
        await parts.users.update_user(key_context(tenant_id), made.id, change(**given))
    assert [scope.value for scope in refused.value.missing] == ["admins:manage"]
    assert await parts.users.get_user(tenant_id, made.id) == made
    await parts.users.update_user(key_context(tenant_id, scopes=ADMIN), made.id, change(**given))


@pytest.mark.parametrize("role", ["admin", "super_admin", "owner"])
async def test_nobody_is_raised_without_admins_manage(parts: UserParts, tenant_id: str, role: str) -> None:
    await parts.add_role(tenant_id, "owner", privileged=True)
    made = await parts.make(tenant_id)
    with pytest.raises(InsufficientScope):
        await parts.users.update_user(key_context(tenant_id), made.id, change(role=role))
    raised = await parts.users.update_user(key_context(tenant_id, scopes=ADMIN), made.id, change(role=role))
    assert raised.role == role


async def test_a_role_that_is_gone_keeps_nobody_from_changing_its_users(parts: UserParts, tenant_id: str) -> None:
    made = await parts.make(tenant_id)
    await parts.put(tenant_id, made.id, role="gone")
    changed = await parts.users.update_user(key_context(tenant_id), made.id, change(name="A", role="gone"))
    assert (changed.name, changed.role) == ("A", "gone")


@pytest.mark.parametrize(("version", "good"), [(1, True), (2, False), (0, False)])
async def test_if_match(parts: UserParts, tenant_id: str, version: int, good: bool) -> None:
    made = await parts.make(tenant_id)
    context = with_version(key_context(tenant_id), version)
    if good:
        assert (await parts.users.update_user(context, made.id, change(name="A"))).version == 2
    else:
        for given in (change(name="A"), change(), change(disabled=True)):
            with pytest.raises(VersionMismatch):
                await parts.users.update_user(context, made.id, given)
        assert await parts.users.get_user(tenant_id, made.id) == made


@pytest.mark.parametrize("given", [{"name": "A"}, {}, {"disabled": True}, {"disabled": False}])
async def test_a_binned_user_is_shown_and_left_alone(parts: UserParts, tenant_id: str, given: dict[str, Any]) -> None:
    made = await parts.make(tenant_id, state_deleted_at=START_MS)
    assert (await parts.users.get_user(tenant_id, made.id)).status == "deleted"
    with pytest.raises(ApiError) as refused:
        await parts.users.update_user(key_context(tenant_id), made.id, change(**given))
    assert (refused.value.status, refused.value.code) == (409, "user_deleted")


@pytest.mark.parametrize("user_id", ["", "usr_", "usr_01", "org_01HABCDEF123456", "x" * 500, "usr_" + "0" * 26])
async def test_there_is_no_such_user(parts: UserParts, tenant_id: str, user_id: str) -> None:
    with pytest.raises(UserNotFound):
        await parts.users.get_user(tenant_id, user_id)
    with pytest.raises(UserNotFound):
        await parts.users.get_access(tenant_id, user_id)
    with pytest.raises(UserNotFound):
        await parts.users.update_user(key_context(tenant_id), user_id, change(name="A"))


async def test_another_tenant_sees_nothing(parts: UserParts, tenant_id: str, other_tenant_id: str) -> None:
    made = await parts.make(tenant_id)
    with pytest.raises(UserNotFound):
        await parts.users.get_user(other_tenant_id, made.id)
    with pytest.raises(UserNotFound):
        await parts.users.get_access(other_tenant_id, made.id)
    with pytest.raises(UserNotFound):
        await parts.users.update_user(key_context(other_tenant_id), made.id, change(name="A"))
    assert await parts.users.get_user(tenant_id, made.id) == made
    assert await parts.entries(other_tenant_id) == []


async def test_a_retry_is_answered_as_the_first_time(parts: UserParts, tenant_id: str) -> None:
    made = await parts.make(tenant_id)
    context = key_context(tenant_id)
    first = await parts.users.update_user(with_retry(context, retry_key()), made.id, change(disabled=True))
    await parts.users.update_user(context, made.id, change(disabled=False))
    again = await parts.users.update_user(with_retry(context, retry_key()), made.id, change(disabled=True))
    assert again == first
    assert (await parts.users.get_user(tenant_id, made.id)).disabled is False
    await parts.put(tenant_id, made.id, role="admin")
    with pytest.raises(InsufficientScope):
        await parts.users.update_user(with_retry(context, retry_key()), made.id, change(disabled=True))


async def test_changes_at_once_all_count(parts: UserParts, tenant_id: str) -> None:
    made = await parts.make(tenant_id)
    context = key_context(tenant_id)
    await asyncio.gather(
        *(parts.users.update_user(context, made.id, change(public_metadata={f"k{n}": n})) for n in range(16))
    )
    after = await parts.users.get_user(tenant_id, made.id)
    assert after.public_metadata == {f"k{n}": n for n in range(16)}
    assert after.version == 17
    assert len(await parts.entries(tenant_id)) == 17


async def test_of_16_at_once_with_one_version_one_wins(parts: UserParts, tenant_id: str) -> None:
    made = await parts.make(tenant_id)
    context = with_version(key_context(tenant_id), 1)
    outcomes = await asyncio.gather(
        *(parts.users.update_user(context, made.id, change(name=f"name {n}")) for n in range(16)),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, ChangedUserBody) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, VersionMismatch) for outcome in outcomes) == 15


@pytest.mark.parametrize("removal", [{"disabled": True}, {"role": "member"}, {"role": "admin"}])
async def test_the_last_super_admin_stays(parts: UserParts, tenant_id: str, removal: dict[str, Any]) -> None:
    admin = key_context(tenant_id, scopes=ADMIN)
    last = await parts.make(tenant_id, role="super_admin")
    await parts.make(tenant_id, "b@example.com", role="super_admin", state_disabled=True)
    await parts.make(tenant_id, "c@example.com", role="super_admin", state_deleted_at=1)
    await parts.make(tenant_id, "d@example.com", role="super_admin", state_banned_at=1)
    await parts.make(tenant_id, "e@example.com", role="admin")
    with pytest.raises(LastSuperAdmin):
        await parts.users.update_user(admin, last.id, change(**removal))
    assert (await parts.users.update_user(admin, last.id, change(name="Last"))).version == 2
    other = await parts.make(tenant_id, "f@example.com", role="super_admin")
    assert (await parts.users.update_user(admin, last.id, change(**removal))).version == 3
    with pytest.raises(LastSuperAdmin):
        await parts.users.update_user(admin, other.id, change(**removal))


async def test_a_super_admin_who_could_do_nothing_is_not_the_last(parts: UserParts, tenant_id: str) -> None:
    admin = key_context(tenant_id, scopes=ADMIN)
    banned = await parts.make(tenant_id, role="super_admin", state_banned_at=1)
    assert (await parts.users.update_user(admin, banned.id, change(role="member"))).role == "member"


@pytest.mark.parametrize("removal", [change(disabled=True), change(role="member")])
async def test_of_16_super_admins_removed_at_once_one_stays(
    parts: UserParts, tenant_id: str, removal: UpdateUserBody
) -> None:
    admin = key_context(tenant_id, scopes=ADMIN)
    made = [await parts.make(tenant_id, f"a{n}@example.com", role="super_admin") for n in range(16)]
    outcomes = await asyncio.gather(
        *(parts.users.update_user(admin, user.id, removal) for user in made), return_exceptions=True
    )
    assert sum(isinstance(outcome, ChangedUserBody) for outcome in outcomes) == 15
    assert sum(isinstance(outcome, LastSuperAdmin) for outcome in outcomes) == 1
    assert len(await parts.entries(tenant_id)) == 16 + 15


async def test_being_active_is_no_change(parts: UserParts, tenant_id: str, other_tenant_id: str) -> None:
    made = [await parts.make(tenant_id, f"a{n}@example.com") for n in range(3)]
    parts.clock.advance(60)
    times = [START_MS + 60_000 + (number * 7) % 16 for number in range(16)]
    await asyncio.gather(
        *(parts.users.record_active(tenant_id, {made[0].id: at, made[1].id: at, "usr_unknown": at}) for at in times)
    )
    await parts.users.record_active(tenant_id, {made[0].id: START_MS})
    await parts.users.record_active(other_tenant_id, {made[2].id: START_MS})
    stored = [await parts.stored(tenant_id, user.id) for user in made]
    assert [user.last_active_at for user in stored] == [START_MS + 60_015, START_MS + 60_015, None]
    assert {(user.version, user.updated_at) for user in stored} == {(1, START_MS)}
    assert len(await parts.entries(tenant_id)) == 3
