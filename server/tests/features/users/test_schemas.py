"""What is derived from a user's row by the clock, and what a body's single fields may hold."""

from typing import Any

import msgspec
import pytest

from hellojohn_server.features.users.schemas import (
    USER_COLUMNS,
    User,
    access_of,
    avatar_url_fault,
    body_of,
    email_fault,
    metadata_fault,
    name_fault,
    password_fault,
    password_hash_fault,
    status_of,
    user_columns,
    user_of,
)

NOW = 1_700_000_000_000


def user(**values: Any) -> User:
    return User("usr_1", "a@example.com", "a@example.com", "member", 0, 0, **values)


@pytest.mark.parametrize(
    ("facts", "status", "reasons"),
    [
        ({}, "active", []),
        ({"deleted_at": 1}, "deleted", ["deleted"]),
        ({"banned_at": 1}, "banned", ["banned"]),
        ({"banned_at": 1, "banned_until": NOW + 1}, "banned", ["banned"]),
        ({"banned_at": 1, "banned_until": NOW}, "active", []),
        ({"disabled": True}, "disabled", ["disabled"]),
        ({"locked_until": NOW + 1}, "locked", ["locked"]),
        ({"locked_until": NOW}, "active", []),
        ({"invited_at": 1}, "pending", ["pending"]),
        ({"invited_at": 1, "last_sign_in_at": 2}, "active", []),
        ({"password_reset_required": True}, "active", ["password_reset_required"]),
        ({"banned_at": 1, "banned_until": NOW, "disabled": True}, "disabled", ["disabled"]),
        ({"locked_until": NOW, "invited_at": 1}, "pending", ["pending"]),
        (
            {
                "deleted_at": 1,
                "banned_at": 1,
                "disabled": True,
                "locked_until": NOW + 1,
                "invited_at": 1,
                "password_reset_required": True,
            },
            "deleted",
            ["deleted", "banned", "disabled", "locked", "pending", "password_reset_required"],
        ),
    ],
)
def test_status_and_access(facts: dict[str, Any], status: str, reasons: list[str]) -> None:
    assert status_of(user(**facts), NOW) == status
    access = access_of(user(**facts), NOW)
    assert access.can_sign_in is not bool(reasons)
    assert [reason.code for reason in access.reasons] == reasons


def test_access_says_since_when_until_when_by_whom_and_why() -> None:
    facts = user(
        deleted_at=1000,
        deleted_by="key_1",
        deleted_reason="left",
        banned_at=2000,
        banned_by="key_2",
        banned_until=NOW + 1,
        ban_reason="spam",
        disabled=True,
        disabled_at=3000,
        disabled_by="key_3",
        disabled_reason="audit",
        locked_at=4000,
        locked_until=NOW + 2,
    )

    def reason(code: str, since: str, until: str | None, by: str | None, why: str | None) -> dict[str, Any]:
        return {"code": code, "since": f"1970-01-01T00:00:{since}.000Z", "until": until, "by": by, "reason": why}

    assert msgspec.to_builtins(access_of(facts, NOW)) == {
        "can_sign_in": False,
        "reasons": [
            reason("deleted", "01", None, "key_1", "left"),
            reason("banned", "02", "2023-11-14T22:13:20.001Z", "key_2", "spam"),
            reason("disabled", "03", None, "key_3", "audit"),
            reason("locked", "04", "2023-11-14T22:13:20.002Z", None, None),
        ],
    }


def test_what_has_ended_is_not_shown() -> None:
    ended = body_of(user(banned_at=1, banned_until=NOW, ban_reason="spam", locked_until=NOW), NOW)
    assert (ended.banned, ended.ban, ended.locked_until) == (False, None, None)
    holds = body_of(user(banned_at=1, banned_by="key_1", ban_reason="spam", locked_until=NOW + 1), NOW)
    assert holds.locked_until == "2023-11-14T22:13:20.001Z"
    assert msgspec.to_builtins(holds.ban) == {
        "reason": "spam",
        "since": "1970-01-01T00:00:00.001Z",
        "until": None,
        "by": "key_1",
    }


def test_a_row_of_either_store_is_read() -> None:
    expected = user(email_verified=True, disabled=True, name="A")
    values = msgspec.structs.astuple(expected)
    assert user_of(values) == expected
    numbers = [int(value) if isinstance(value, bool) else value for value in values]
    assert user_of([*numbers, "a column more"]) == expected
    assert type(user_of(numbers).disabled) is bool
    assert USER_COLUMNS.split(", ")[:2] == ["id", "email"]
    assert user_columns("u").split(", ")[:2] == ["u.id", "u.email"]
    assert "password_hash" not in USER_COLUMNS


@pytest.mark.parametrize(
    ("fault", "good", "bad"),
    [
        (email_fault, ["a@example.com"], ["a", "a@b"]),
        (name_fault, ["Zoë", "山田 太郎", "O'Neil-Smith, Jr."], [" ", "\u2003", "a\nb", "a\x7f"]),
        (password_fault, ["é" * 512], ["é" * 513]),
        (
            avatar_url_fault,
            ["https://example.com/a.png?x=1#y", "http://localhost:8080", "https://müller.de/ü"],
            [
                "ftp://example.com",
                "javascript:alert(1)",
                "//example.com/a",
                "https://",
                "https:///a",
                "https://exa mple.com",
                "https://example.com/\n",
                "https://[::1",
                "https://example.com:99999",
                "data:image/png;base64,xx",
            ],
        ),
        (metadata_fault, [{}, {"a": "x" * 16376}, {"a": "é" * 8188}], [{"a": "x" * 16377}, {"a": "é" * 8189}]),
    ],
)
def test_what_single_fields_may_hold(fault: Any, good: list[Any], bad: list[Any]) -> None:
    assert [fault(value) for value in good] == [None] * len(good)
    for value in bad:
        assert str(fault(value)).endswith(".")


def test_hashes_that_are_not_taken_say_why() -> None:
    assert "forms" in str(password_hash_fault("nonsense"))
    assert "memory or time" in str(
        password_hash_fault("$argon2id$v=19$m=999999999,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA")
    )
