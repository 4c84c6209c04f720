"""Hashing passwords: the parameters, and what happens when more come than there is room for."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import argon2
import pytest

from hellojohn_server.kit.password_hashes import Argon2Hash, parse_password_hash
from hellojohn_server.kit.passwords import PasswordHasher, PasswordHashingBusy, prepare_password


@pytest.fixture
def hasher() -> Iterator[PasswordHasher]:
    hasher = PasswordHasher(threads=1, waiting=1)
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
    text = await hasher.hash("correct horse")
    parsed = parse_password_hash(text)
    assert isinstance(parsed, Argon2Hash)
    assert text.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert argon2.PasswordHasher().verify(text, "correct horse")
    with pytest.raises(argon2.exceptions.VerifyMismatchError):
        argon2.PasswordHasher().verify(text, "wrong horse")


async def test_each_hash_has_its_own_salt(hasher: PasswordHasher) -> None:
    assert await hasher.hash("correct horse") != await hasher.hash("correct horse")


async def test_two_keyboards_give_one_password(hasher: PasswordHasher) -> None:
    assert prepare_password("pa\u0301ssword") == prepare_password("p\u00e1ssword")
    assert argon2.PasswordHasher().verify(await hasher.hash("pa\u0301ssword"), "p\u00e1ssword")


async def test_what_does_not_fit_the_queue_is_refused_and_the_rest_is_done(hasher: PasswordHasher) -> None:
    with held(hasher):
        tasks = [asyncio.create_task(hasher.hash("correct horse")) for _ in range(5)]
        await asyncio.sleep(0)
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, PasswordHashingBusy)]
    assert len(refused) == 3
    assert (refused[0].status, refused[0].code, refused[0].retry_after) == (503, "password_hashing_busy", 1)
    assert (await hasher.hash("correct horse")).startswith("$argon2id$")


async def test_a_caller_that_goes_away_keeps_its_place_until_its_hash_is_done(hasher: PasswordHasher) -> None:
    with held(hasher):
        tasks = [asyncio.create_task(hasher.hash("correct horse")) for _ in range(2)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        with pytest.raises(asyncio.CancelledError):
            await tasks[0]
        with pytest.raises(PasswordHashingBusy):
            await hasher.hash("correct horse")
    assert (await tasks[1]).startswith("$argon2id$")
