"""A file of each system, as it writes it: who comes of it, and that they sign in with their passwords."""

import pytest

from hellojohn_server.kit.user_files.formats import UserFormat
from hellojohn_server.kit.user_files.rows import FileShape
from tests.features.auth.parts import Front
from tests.features.imports.parts import done, hashes_of, lines, pieces, send, users_of
from tests.kit.user_files.files import NAMES, PASSWORDS, SAMPLES, SIGNER_KEY, kind_of
from tests.kit.user_files.files import users_of as sample_users

CLOSED = {
    "Lena.Roth@example.com": "account_disabled",
    "kofi.asante@example.com": "account_disabled",
}
"""Whose account is not open, so that the right password is answered so."""


@pytest.mark.parametrize("name", NAMES)
async def test_people_sign_in_with_their_passwords_which_are_hashed_anew(front: Front, name: str) -> None:
    kind, shape = kind_of(name)
    data = (SAMPLES / name).read_bytes()
    hashing = {"firebase_signer_key": SIGNER_KEY} if kind is UserFormat.FIREBASE else {}
    expected = sample_users(name)

    await done(await send(front, pieces(data, 100), kind, shape, **hashing), imported=len(expected))

    before = await hashes_of(front)
    assert before == {user.email: user.password_hash for user in expected}
    for email, password in PASSWORDS[name].items():
        assert await front.try_sign_in(email, "not the password") == (401, "invalid_credentials")
        answer = await front.try_sign_in(email, password)
        assert answer == ((403, CLOSED[email]) if email in CLOSED else (200, ""))
    after = await hashes_of(front)
    for email in PASSWORDS[name].keys() - CLOSED.keys():
        assert (after[email] or "").startswith("$argon2id$v=19$m=8,t=1,")
        assert after[email] != before[email]
        assert await front.try_sign_in(email, PASSWORDS[name][email]) == (200, "")


async def test_what_is_kept_of_a_user_of_ours(front: Front) -> None:
    data = (SAMPLES / "hellojohn.ndjson").read_bytes()
    made = await done(await send(front, data), imported=2)
    users = await users_of(front)
    nora, otto = users["nora.blum@example.com"], users["otto.klein@example.com"]
    shown = {
        "id": "usr_01HZX3Y5N8Q7W2K4M6P9R1T3V5",
        "email_verified": True,
        "username": "nora",
        "name": "Nora Blum",
        "phone": "+4989123456",
        "external_id": "crm-1",
        "public_metadata": {"plan": "pro"},
        "private_metadata": {"score": {"a": [1, 2]}},
        "created_at": "2020-02-02T02:02:02.020Z",
        "updated_at": "2021-02-02T02:02:02.020Z",
        "last_sign_in_at": "2022-02-02T02:02:02.020Z",
        "last_active_at": "2022-02-03T02:02:02.020Z",
        "version": 1,
        "status": "active",
    }
    assert {field: nora[field] for field in shown} == shown
    assert (otto["status"], otto["disabled"], otto["disabled_reason"]) == ("banned", True, "Left")
    assert otto["ban"]["reason"] == "Spam"
    assert otto["ban"]["since"] == "2023-01-01T00:00:00.000Z"
    assert otto["ban"]["by"] == made["created_by"]
    found = (await front.admin("POST", "/v1/admin/users/search", {"query": "blum"})).json()["data"]
    assert [user["id"] for user in found] == [nora["id"]]


async def test_what_is_kept_of_a_user_of_keycloak(front: Front) -> None:
    data = (SAMPLES / "keycloak_realm.json").read_bytes()
    await done(await send(front, data, UserFormat.KEYCLOAK, FileShape.JSON), imported=3)
    users = await users_of(front)
    kira = users["kira.vogel@example.com"]
    assert kira["private_metadata"]["keycloak"]["groups"] == ["/staff/berlin"]
    assert (kira["external_id"], kira["phone_verified"]) == ("3c1d9a52-6f0f-4d60-9a6f-0c7a3f7a9b01", True)
    lena = users["Lena.Roth@example.com"]
    assert (lena["role"], lena["disabled_reason"], lena["password_reset_required"]) == (
        "member",
        "Disabled in Keycloak",
        True,
    )


async def test_a_ban_that_has_ended_is_none_and_one_that_has_not_ends_by_itself(front: Front) -> None:
    rows = [
        {"email": "past@example.com", "banned_until": "2025-01-01T00:00:00Z"},
        {"email": "future@example.com", "banned_until": "2027-01-01T00:00:00Z"},
    ]
    await done(await send(front, lines(*rows), UserFormat.SUPABASE), imported=2)
    users = await users_of(front)
    assert (users["past@example.com"]["status"], users["past@example.com"]["ban"]) == ("active", None)
    assert users["future@example.com"]["ban"]["until"] == "2027-01-01T00:00:00.000Z"


async def test_a_form_that_a_system_does_not_write_is_refused(front: Front) -> None:
    answer = await send(front, b"a,b\n", UserFormat.KEYCLOAK, FileShape.CSV)
    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"firebase_signer_key": "not base64!"}, "firebase_signer_key"),
        ({"firebase_rounds": 9}, "firebase_rounds"),
        ({"firebase_memory_cost": 15}, "firebase_memory_cost"),
        ({"on_conflict": "update"}, "on_conflict"),
        ({"dry_run": "yes"}, "dry_run"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_what_is_asked_for_is_checked_first(front: Front, query: dict[str, str], field: str) -> None:
    answer = await send(front, b"{}", UserFormat.FIREBASE, FileShape.JSON, **query)
    assert answer.status_code == 422
    assert [detail["field"] for detail in answer.json()["error"]["details"]] == [field]
    assert (await front.admin("GET", "/v1/admin/imports")).json()["data"] == []
