"""The form of keys: the published vectors, any tenant there and back, and every slip of the pen refused."""

import hashlib
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hellojohn_server.kit.api_keys import (
    KEY_PREFIXES,
    Environment,
    claimed_kind,
    compose_key,
    hint_of,
    make_key,
    parse_key,
)
from hellojohn_server.kit.ids import CONTROL_TENANT_ID, encode_ulid
from hellojohn_server.kit.principal import CredentialKind

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
TENANT = "tnt_01HABCDEF6543210000000000Z"
RANDOM = "0123456789ABCDEFGHIJKLMNOPQRSTUV"
SECRET = "sk_live_02uKJXJjVO4FkwFF5LNhDL0123456789ABCDEFGHIJKLMNOPQRSTUV1o7PWb"
MASTER = "mk_live_00000000000000000000000123456789ABCDEFGHIJKLMNOPQRSTUV"

tenants = st.integers(min_value=1, max_value=2**128 - 1).map(lambda value: f"tnt_{encode_ulid(value)}")
randoms = st.text(ALPHABET, min_size=32, max_size=32)
prefixes = st.sampled_from([prefix for prefix in KEY_PREFIXES if prefix != "mk_live_"])


def base62(value: int, length: int) -> str:
    """Return a number in base 62, written out on its own."""
    digits = ""
    while len(digits) < length:
        digits = ALPHABET[value % 62] + digits
        value //= 62
    return digits


def test_the_published_vector() -> None:
    assert compose_key("sk_live_", TENANT, RANDOM) == SECRET
    parsed = parse_key(SECRET)
    assert parsed is not None
    assert (parsed.kind, parsed.environment) == (CredentialKind.SECRET_KEY, Environment.LIVE)
    assert parsed.tenant_id == TENANT
    assert parsed.key_hash.hex() == "270acd9dd50f9f7a20c9c37a868874921cabdcb108d003f33007af89a259d58d"
    assert hint_of(SECRET) == "sk_live_…7PWb"


def test_a_master_key_has_zeros_for_its_tenant() -> None:
    key = compose_key("mk_live_", CONTROL_TENANT_ID, RANDOM)
    assert key == MASTER + base62(zlib.crc32(MASTER.encode()), 6)
    parsed = parse_key(key)
    assert parsed is not None
    assert (parsed.kind, parsed.tenant_id) == (CredentialKind.MASTER_KEY, CONTROL_TENANT_ID)


@given(prefixes, tenants, randoms)
def test_a_key_says_what_it_was_made_of(prefix: str, tenant_id: str, random: str) -> None:
    key = compose_key(prefix, tenant_id, random)
    assert len(key) == 68
    assert key[:8] == prefix
    assert key[30:62] == random
    assert key[62:] == base62(zlib.crc32(key[:62].encode()), 6)
    parsed = parse_key(key)
    assert parsed is not None
    assert (parsed.kind, parsed.environment) == KEY_PREFIXES[prefix]
    assert parsed.tenant_id == tenant_id
    assert parsed.key_hash == hashlib.sha256(key.encode()).digest()


@given(prefixes, tenants, randoms, st.integers(0, 67), st.sampled_from(ALPHABET + "_ é\x00"))
def test_a_wrong_character_anywhere_is_refused(
    prefix: str, tenant_id: str, random: str, place: int, letter: str
) -> None:
    key = compose_key(prefix, tenant_id, random)
    slip = key[:place] + letter + key[place + 1 :]
    assert (parse_key(slip) is None) is (slip != key)


@given(prefixes, tenants, randoms, st.integers(0, 66))
def test_two_neighbours_swapped_are_refused(prefix: str, tenant_id: str, random: str, place: int) -> None:
    key = compose_key(prefix, tenant_id, random)
    swapped = key[:place] + key[place + 1] + key[place] + key[place + 2 :]
    assert (parse_key(swapped) is None) is (swapped != key)


@given(st.text())
def test_any_text_is_refused_quietly(text: str) -> None:
    assert parse_key(text) is None
    assert parse_key(f"sk_live_{text}") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sk_live_",
        SECRET + "0",
        SECRET[:-1],
        SECRET + "\n",
        " " + SECRET,
        SECRET.replace("sk_live_", "sk_prod_"),
        SECRET.replace("sk_live_", "SK_LIVE_"),
        "mk_test_" + SECRET[8:],
        "sk_live_\ud800" + SECRET[9:],
    ],
)
def test_other_forms_are_refused(text: str) -> None:
    assert parse_key(text) is None


def with_checksum(unchecked: str) -> str:
    return unchecked + base62(zlib.crc32(unchecked.encode()), 6)


def test_a_right_checksum_does_not_save_a_wrong_tenant() -> None:
    assert parse_key(with_checksum("sk_live_" + base62(2**128, 22) + RANDOM)) is None
    assert parse_key(with_checksum("sk_live_" + "z" * 22 + RANDOM)) is None
    assert parse_key(with_checksum("sk_live_" + "0" * 22 + RANDOM)) is None
    assert parse_key(with_checksum("mk_live_" + base62(1, 22) + RANDOM)) is None
    assert parse_key(with_checksum("sk_live_" + base62(2**128 - 1, 22) + RANDOM)) is not None


@pytest.mark.parametrize("prefix", KEY_PREFIXES)
def test_keys_are_made_for_each_kind(prefix: str) -> None:
    kind, environment = KEY_PREFIXES[prefix]
    tenant_id = CONTROL_TENANT_ID if kind is CredentialKind.MASTER_KEY else TENANT
    key, parsed, hint = make_key(kind, environment, tenant_id)
    assert parse_key(key) == parsed
    assert (parsed.kind, parsed.environment, parsed.tenant_id) == (kind, environment, tenant_id)
    assert hint == f"{prefix}…{key[-4:]}"
    assert make_key(kind, environment, tenant_id)[0] != key


@pytest.mark.parametrize(
    ("kind", "environment", "tenant_id"),
    [
        (CredentialKind.MASTER_KEY, Environment.LIVE, TENANT),
        (CredentialKind.MASTER_KEY, Environment.TEST, CONTROL_TENANT_ID),
        (CredentialKind.SECRET_KEY, Environment.LIVE, CONTROL_TENANT_ID),
        (CredentialKind.SECRET_KEY, Environment.LIVE, "usr_01HABCDEF6543210000000000Z"),
        (CredentialKind.SECRET_KEY, Environment.LIVE, "tnt_short"),
        (CredentialKind.ACCESS_TOKEN, Environment.LIVE, TENANT),
    ],
)
def test_impossible_keys_are_not_made(kind: CredentialKind, environment: Environment, tenant_id: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each has its own words
        make_key(kind, environment, tenant_id)


def test_what_a_text_claims_to_be() -> None:
    assert claimed_kind("sk_live_nonsense") is CredentialKind.SECRET_KEY
    assert claimed_kind("pk_test_") is CredentialKind.PUBLISHABLE_KEY
    assert claimed_kind("mk_live_x") is CredentialKind.MASTER_KEY
    assert claimed_kind("eyJhbGciOi") is None
    assert claimed_kind("") is None
