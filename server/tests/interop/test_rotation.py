"""Turning the signing keys over beside a running server: no library that has the key set refuses a valid token."""

from typing import Final

import jwt
import pytest

from hellojohn_server.app import open_tools
from hellojohn_server.config import load_settings
from hellojohn_server.kit.ids import CONTROL_TENANT_ID
from hellojohn_server.storage.database import Transaction
from hellojohn_server.storage.sql import Kind, Statement
from tests.interop.clients import Refused
from tests.interop.conftest import Site

SIGN_NOW: Final = Statement("UPDATE signing_keys SET signs_from = :now WHERE signs_from > :now", kind=Kind.BOOKKEEPING)


def kid_of(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])


async def let_the_next_key_sign(site: Site) -> None:
    """Do to the store what an hour does: the next key signs. The server has read it when this returns."""
    settings = load_settings({name: text for name, text in site.environ.items() if name.startswith("HELLOJOHN_")})
    async with open_tools(settings) as tools:

        async def command(tx: Transaction) -> None:
            await tx.execute(SIGN_NOW, now=tools.clock.now_ms())

        await tools.database.write(CONTROL_TENANT_ID, command, type(None))
    site.key_ids()


async def test_a_rotation_fails_no_valid_token(own_site: Site) -> None:
    site = own_site
    alice = site.sign_up("alice@example.com")
    old = kid_of(alice.access)
    with site.clients() as verifiers:
        for verifier in verifiers:
            verifier.verify(alice.access)

        made = site.hj("signing-keys", "rotate")
        assert site.key_ids() == [old, made["id"]]
        assert [key["id"] for key in site.hj("signing-keys", "list")] == [old, made["id"]]
        bob = site.sign_up("bob@example.com")
        assert kid_of(bob.access) == old
        for verifier in verifiers:  # from the key set that they have kept since before
            assert verifier.verify(bob.access).header["kid"] == old
            verifier.reload()

        await let_the_next_key_sign(site)
        carol = site.sign_up("carol@example.com")
        fresh = alice.refreshed()
        assert kid_of(carol.access) == kid_of(fresh.access) == made["id"]
        assert site.key_ids() == [old, made["id"]]
        assert [one.asks_me() for one in (alice, bob, carol, fresh)] == [(200, "")] * 4

        site.process.stop()  # who fetched the key set within that hour has the next key, and asks for nothing more
        for verifier in verifiers:
            for one in (alice, bob, carol, fresh):
                assert verifier.verify(one.access).claims["sub"] == one.answer["user"]["id"]


def test_tokens_of_compromised_keys_are_refused_everywhere(own_site: Site) -> None:
    site = own_site
    alice = site.sign_up("alice@example.com")
    old = kid_of(alice.access)
    with site.clients() as verifiers:
        for verifier in verifiers:
            verifier.verify(alice.access)

        made = site.hj("signing-keys", "rotate", "--compromised")
        assert made["id"] != old
        assert site.key_ids() == [made["id"]]
        assert alice.asks_me() == (401, "invalid_token")
        fresh = alice.refreshed()
        assert kid_of(fresh.access) == made["id"]
        assert fresh.asks_me() == (200, "")
        for verifier in verifiers:
            verifier.reload()
            assert verifier.verify(fresh.access).header["kid"] == made["id"]
            with pytest.raises(Refused, match=r"^(PyJWKClientError|ERR_JWKS_NO_MATCHING_KEY)$"):
                verifier.verify(alice.access)
