"""Hashing and verifying: the parameters, what must not be told apart, and what happens when there is no room."""

import asyncio
import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import argon2
import pytest

from hellojohn_server.kit.password_hashes import Argon2Hash, parse_password_hash
from hellojohn_server.kit.passwords import PasswordHasher, PasswordHashingBusy, Verification, prepare_password
from tests.kit.password_vectors import ARGON2, BCRYPT, PBKDF2, SCRYPT

YES = Verification(matches=True, needs_upgrade=False)
YES_AND_UPGRADE = Verification(matches=True, needs_upgrade=True)
OWNER, NEIGHBOUR = "tnt_1", "tnt_2"
NO = Verification(matches=False, needs_upgrade=False)
OTHERS = "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"
FORMS = [ARGON2[0], *BCRYPT[:5], BCRYPT[-1], *SCRYPT[:4], SCRYPT[-1], *PBKDF2[:5]]
COSTLY = "$2b$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"


@pytest.fixture
def hasher() -> Iterator[PasswordHasher]:
    hasher = PasswordHasher(threads=1, waiting=3)
    yield hasher
    hasher.close()


@contextmanager
def held(hasher: PasswordHasher) -> Iterator[None]:
    """Keep the only thread busy: what is asked for meanwhile waits."""
    released = threading.Event()
    hasher._executor.submit(released.wait)
    try:
        yield
    finally:
        released.set()


async def test_the_hash_is_argon2id_with_the_recommended_parameters(hasher: PasswordHasher) -> None:
    text = await hasher.hash("correct horse", owner=OWNER)
    parsed = parse_password_hash(text)
    assert isinstance(parsed, Argon2Hash)
    assert text.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert argon2.PasswordHasher().verify(text, "correct horse")
    with pytest.raises(argon2.exceptions.VerifyMismatchError):
        argon2.PasswordHasher().verify(text, "wrong horse")


async def test_each_hash_has_its_own_salt(hasher: PasswordHasher) -> None:
    assert await hasher.hash("correct horse", owner=OWNER) != await hasher.hash("correct horse", owner=OWNER)


async def test_two_keyboards_give_one_password(hasher: PasswordHasher) -> None:
    assert prepare_password("pa\u0301ssword") == prepare_password("p\u00e1ssword")
    assert argon2.PasswordHasher().verify(await hasher.hash("pa\u0301ssword", owner=OWNER), "p\u00e1ssword")


async def test_what_does_not_fit_the_queue_is_refused_and_the_rest_is_done(hasher: PasswordHasher) -> None:
    with held(hasher):
        tasks = [asyncio.create_task(hasher.hash("correct horse", owner=f"tnt_{number}")) for number in range(7)]
        await asyncio.sleep(0)
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, PasswordHashingBusy)]
    assert len(refused) == 3
    assert (refused[0].status, refused[0].code, refused[0].retry_after) == (503, "password_hashing_busy", 1)
    assert (await hasher.hash("correct horse", owner=OWNER)).startswith("$argon2id$")


async def test_one_owner_has_half_of_the_room_and_the_others_go_on(hasher: PasswordHasher) -> None:
    with held(hasher):
        tasks = [asyncio.create_task(hasher.verify("U*U", OTHERS, owner=OWNER)) for _ in range(4)]
        await asyncio.sleep(0)
        assert hasher.running_or_waiting == 2
        tasks += [asyncio.create_task(hasher.verify("U*U", OTHERS, owner=NEIGHBOUR)) for _ in range(2)]
        await asyncio.sleep(0)
        assert hasher.running_or_waiting == 4
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    refused = [number for number, outcome in enumerate(outcomes) if isinstance(outcome, PasswordHashingBusy)]
    assert refused == [2, 3]
    assert hasher.running_or_waiting == 0
    again = await asyncio.gather(*(hasher.verify("U*U", OTHERS, owner=OWNER) for _ in range(2)))
    assert again == [YES_AND_UPGRADE] * 2


async def test_half_of_the_room_is_at_least_one_place() -> None:
    hasher = PasswordHasher(threads=1, waiting=0)
    assert await hasher.verify("U*U", OTHERS, owner=OWNER) == YES_AND_UPGRADE
    hasher.close()


async def test_those_who_wait_have_turns_and_each_in_the_order_of_coming() -> None:
    hasher, done = PasswordHasher(threads=1, waiting=20), list[str]()

    async def verify(name: str, owner: str) -> None:
        await hasher.verify("U*U", OTHERS, owner=owner)
        done.append(name)

    with held(hasher):
        tasks = [asyncio.create_task(verify(f"a{number}", OWNER)) for number in range(4)]
        tasks += [asyncio.create_task(verify(f"b{number}", NEIGHBOUR)) for number in range(2)]
        tasks.append(asyncio.create_task(verify("c0", "tnt_3")))
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    hasher.close()
    assert done == ["a0", "b0", "c0", "a1", "b1", "a2", "a3"]


async def test_a_caller_that_goes_away_keeps_its_place_until_its_hash_is_done(hasher: PasswordHasher) -> None:
    with held(hasher):
        tasks = [asyncio.create_task(hasher.hash("correct horse", owner=OWNER)) for _ in range(2)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        with pytest.raises(asyncio.CancelledError):
            await tasks[0]
        with pytest.raises(PasswordHashingBusy):
            await hasher.hash("correct horse", owner=OWNER)
    assert (await tasks[1]).startswith("$argon2id$")


async def test_a_hash_of_our_own_is_verified_and_needs_no_upgrade(hasher: PasswordHasher) -> None:
    stored = await hasher.hash("correct horse", owner=OWNER)
    assert await hasher.verify("correct horse", stored, owner=OWNER) == YES
    assert await hasher.verify("wrong horse", stored, owner=OWNER) == NO


@pytest.mark.parametrize(("password", "stored"), FORMS)
async def test_hashes_of_other_systems_need_an_upgrade(hasher: PasswordHasher, password: str, stored: str) -> None:
    assert await hasher.verify(password, stored, owner=OWNER) == YES_AND_UPGRADE
    assert await hasher.verify(f"x{password}", stored, owner=OWNER) == NO


@pytest.mark.parametrize(
    "other",
    [
        argon2.PasswordHasher(1, 19_456, 1, 32, 16),
        argon2.PasswordHasher(2, 19_455, 1, 32, 16),
        argon2.PasswordHasher(2, 19_456, 2, 32, 16),
        argon2.PasswordHasher(2, 19_456, 1, 16, 16),
        argon2.PasswordHasher(2, 19_456, 1, 32, 8),
        argon2.PasswordHasher(2, 19_456, 1, 32, 16, type=argon2.Type.I),
    ],
)
async def test_argon2_with_other_parameters_needs_an_upgrade(
    hasher: PasswordHasher, other: argon2.PasswordHasher
) -> None:
    assert await hasher.verify("correct horse", other.hash("correct horse"), owner=OWNER) == YES_AND_UPGRADE


async def test_an_older_version_of_argon2_needs_an_upgrade(hasher: PasswordHasher) -> None:
    old = argon2.low_level.hash_secret(b"correct horse", b"0" * 16, 2, 19_456, 1, 32, argon2.Type.ID, 16).decode()
    assert await hasher.verify("correct horse", old, owner=OWNER) == YES_AND_UPGRADE


async def test_the_prepared_form_is_tried_first_and_the_typed_one_second(hasher: PasswordHasher) -> None:
    prepared, typed = "l\u00e8tmein", "le\u0300tmein"
    own = await hasher.hash(typed, owner=OWNER)
    assert [await hasher.verify(form, own, owner=OWNER) for form in (prepared, typed)] == [YES, YES]
    others = argon2.PasswordHasher(2, 19_456, 1, 32, 16).hash(typed)
    assert [await hasher.verify(form, others, owner=OWNER) for form in (prepared, typed)] == [NO, YES_AND_UPGRADE]


@pytest.mark.parametrize("stored", [None, "", "secret", "$2b$12$short", "$argon2id$v=19$m=19456,t=2,p=1$$", COSTLY])
@pytest.mark.parametrize("password", ["", "correct horse", "le\u0300tmein"])
async def test_what_is_no_hash_matches_nothing_and_is_as_much_work_as_one_of_ours(
    hasher: PasswordHasher, password: str, stored: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = await hasher.hash("another password", owner=OWNER)
    derive, asked = argon2.low_level.hash_secret_raw, list[dict[str, object]]()

    def recorded(secret: bytes, salt: bytes, **parameters: object) -> bytes:
        asked.append({"secret": secret, "salt": len(salt), **parameters})
        return derive(secret, salt, **parameters)

    monkeypatch.setattr(argon2.low_level, "hash_secret_raw", recorded)
    assert await hasher.verify(password, ours, owner=OWNER) == NO
    work_for_ours = asked.copy()
    asked.clear()
    assert await hasher.verify(password, stored, owner=OWNER) == NO
    assert asked == work_for_ours
    assert len(asked) == (2 if password == "le\u0300tmein" else 1)


async def test_nothing_matches_nobody(hasher: PasswordHasher) -> None:
    hasher._of_nobody = parse_password_hash(await hasher.hash("correct horse", owner=OWNER))
    assert await hasher.verify("correct horse", None, owner=OWNER) == NO


async def test_hashes_and_verifications_share_the_room(hasher: PasswordHasher) -> None:
    assert (hasher.running_or_waiting, hasher.capacity) == (0, 4)
    with held(hasher):
        tasks = [
            asyncio.create_task(hasher.verify("U*U", OTHERS, owner=OWNER)),
            asyncio.create_task(hasher.hash("correct horse", owner=OWNER)),
        ]
        await asyncio.sleep(0)
        assert hasher.running_or_waiting == 2
        with pytest.raises(PasswordHashingBusy):
            await hasher.verify("U*U", None, owner=OWNER)
        with pytest.raises(PasswordHashingBusy):
            await hasher.hash("correct horse", owner=OWNER)
    assert await tasks[0] == YES_AND_UPGRADE
    assert (await tasks[1]).startswith("$argon2id$")
    assert hasher.running_or_waiting == 0


async def test_a_verification_that_nobody_waits_for_keeps_its_place(hasher: PasswordHasher) -> None:
    with held(hasher):
        task = asyncio.create_task(hasher.verify("U*U", OTHERS, owner=OWNER))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert hasher.running_or_waiting == 1
    assert await hasher.verify("U*U", OTHERS, owner=OWNER) == YES_AND_UPGRADE
    assert hasher.running_or_waiting == 0


async def test_a_verification_that_fails_gives_its_place_back(
    hasher: PasswordHasher, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_memory(*_: object, **__: object) -> bytes:
        raise argon2.exceptions.HashingError("Memory allocation error")

    monkeypatch.setattr(argon2.low_level, "hash_secret_raw", without_memory)
    with pytest.raises(argon2.exceptions.HashingError):
        await hasher.verify("correct horse", None, owner=OWNER)
    assert hasher.running_or_waiting == 0


class Watch:
    """A clock that goes on by `step` whenever it is read."""

    def __init__(self, at: float) -> None:
        self.at = at
        self.step = 0.0

    def __call__(self) -> float:
        self.at += self.step
        return self.at


@pytest.mark.parametrize("start", [0.0, 300.0, 1_000_000.0 * 300])
async def test_the_slowest_verification_of_this_span_and_the_one_before_is_kept(start: float) -> None:
    watch = Watch(start)
    hasher = PasswordHasher(threads=1, seconds=watch)
    assert hasher.slowest_seconds == 0.0
    for at, takes, slowest in (
        (10.0, 0.25, 0.25),
        (20.0, 0.75, 0.75),
        (30.0, 0.5, 0.75),
        (299.0, 0.25, 0.75),
        (310.0, 0.5, 0.75),
        (599.0, 0.25, 0.75),
        (600.0, 0.25, 0.5),
        (899.0, 0.25, 0.5),
        (900.0, 0.125, 0.25),
        (1500.0, 0.125, 0.125),
    ):
        watch.at, watch.step = start + at, takes
        await hasher.verify("U*U", OTHERS, owner=OWNER)
        watch.step = 0.0
        assert hasher.slowest_seconds == slowest, at
    watch.at = start + 2099.0
    assert hasher.slowest_seconds == 0.125
    watch.at = start + 2100.0
    assert hasher.slowest_seconds == 0.0
    hasher.close()


async def test_the_time_in_the_queue_is_not_measured() -> None:
    now = itertools.count()
    hasher = PasswordHasher(threads=1, seconds=lambda: next(now))
    with held(hasher):
        tasks = [asyncio.create_task(hasher.verify("U*U", OTHERS, owner=OWNER)) for _ in range(3)]
        await asyncio.sleep(0)
        assert hasher.slowest_seconds == 0.0
    await asyncio.gather(*tasks)
    hasher.close()
    assert hasher.slowest_seconds == 1.0


async def test_close_finishes_what_waits_and_takes_no_more() -> None:
    hasher = PasswordHasher(threads=1)
    with held(hasher):
        task = asyncio.create_task(hasher.verify("U*U", OTHERS, owner=OWNER))
        await asyncio.sleep(0)
    hasher.close()
    assert await task == YES_AND_UPGRADE
    with pytest.raises(RuntimeError):
        await hasher.verify("U*U", OTHERS, owner=OWNER)
    assert hasher.running_or_waiting == 0
