"""The store knows the encryption key that it was made with, and takes no other."""

import asyncio

import pytest

from hellojohn_server.storage.database import Database
from hellojohn_server.storage.key_check import WrongEncryptionKey, require_key


async def test_the_first_key_is_kept_and_another_refused(database: Database) -> None:
    await require_key(database, b"first")
    await require_key(database, b"first")
    with pytest.raises(WrongEncryptionKey):
        await require_key(database, b"other")
    await require_key(database, b"first")


async def test_of_several_that_come_first_at_once_one_is_kept(database: Database) -> None:
    keys = [bytes([number]) for number in range(16)]
    outcomes = await asyncio.gather(*(require_key(database, key) for key in keys), return_exceptions=True)
    assert outcomes.count(None) == 1
    assert sum(isinstance(outcome, WrongEncryptionKey) for outcome in outcomes) == 15
