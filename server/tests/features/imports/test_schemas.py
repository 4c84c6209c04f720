"""What is judged at once is judged as the rules judge it."""

import random

from hellojohn_server.features.imports import schemas
from hellojohn_server.features.users.schemas import avatar_url_fault, email_fault
from hellojohn_server.kit.user_files.users import FileUser


def _made(dice: random.Random, letters: str, longest: int) -> str:
    return "".join(dice.choice(letters) for _ in range(dice.randint(1, longest)))


def test_no_plain_address_is_one_that_the_rule_refuses() -> None:
    dice, plain = random.Random(7), 0
    for _ in range(20_000):
        text = f"{_made(dice, 'ab1.-_+', 7)}@{_made(dice, 'ab1.-', 9)}"
        if schemas._PLAIN_EMAIL.fullmatch(text):
            plain += 1
            assert email_fault(text) is None, text
    assert plain > 50
    for text in (f"{'a' * 64}@{'b' * 63}.example.com", f"{'a' * 65}@example.com", f"a@{'b' * 64}.com", "a@b.c1"):
        assert (schemas._PLAIN_EMAIL.fullmatch(text) is None) or email_fault(text) is None


def test_no_plain_picture_is_one_that_the_rule_refuses() -> None:
    dice, plain = random.Random(7), 0
    for _ in range(20_000):
        text = f"http://{_made(dice, 'a1.-/:@?#%[] ', 9)}"
        if schemas._PLAIN_URL.fullmatch(text):
            plain += 1
            assert avatar_url_fault(text) is None, text
    assert plain > 50


def test_nobody_was_active_before_being_created() -> None:
    """Search relies on it."""
    for given, created_at, active_at in (
        ({"created_at": 50, "last_active_at": 40}, 50, 50),
        ({"created_at": 50, "last_sign_in_at": 60}, 50, 60),
        ({"last_sign_in_at": 30, "updated_at": 20}, 20, 30),
        ({"last_active_at": 30}, 30, 30),
        ({"created_at": 50}, 50, None),
        ({}, 99, None),
    ):
        made = schemas.user_of(FileUser(email="a@example.com", **given), "usr_1", "key_1", 99, [])
        assert (made.created_at, made.last_active_at) == (created_at, active_at), given
