"""Keys derived from the encryption key: another for each purpose, the same everywhere."""

import pytest

from hellojohn_server.kit.secrets import AddressHasher, Purpose, Sealer, WrongSeal, derive_key


def test_each_purpose_has_its_own_key_and_each_encryption_key_others() -> None:
    keys = {derive_key(bytes(secret), purpose) for secret in ([0] * 32, [1] * 32) for purpose in Purpose}
    assert len(keys) == 2 * len(Purpose)
    assert {len(key) for key in keys} == {32}


def test_the_derivation_never_changes() -> None:
    """A change here makes every cursor out there invalid and every server refuse its store."""
    assert {purpose: derive_key(bytes(32), purpose).hex()[:16] for purpose in Purpose} == {
        Purpose.ADDRESSES: "f19549b5aa8711ef",
        Purpose.BACKUP_CODES: "48f3f5aa2db7c5de",
        Purpose.CURSORS: "0b28300c0dfa89b7",
        Purpose.KEY_CHECK: "38a7e96b810d1d13",
        Purpose.SEALED_VALUES: "73ebb8fa4e0099ae",
    }


def test_what_is_sealed_opens_in_its_place_only() -> None:
    sealer = Sealer(bytes(32))
    sealed = sealer.seal(b"secret", "tnt_1", "signing_keys", "key_1", "private")
    assert sealer.open(sealed, "tnt_1", "signing_keys", "key_1", "private") == b"secret"
    assert sealer.seal(b"secret", "tnt_1") != sealer.seal(b"secret", "tnt_1")
    assert b"secret" not in sealed
    for place in (("tnt_2", "signing_keys", "key_1", "private"), ("tnt_1",), ()):
        with pytest.raises(WrongSeal):
            sealer.open(sealed, *place)


def test_another_key_and_an_altered_value_are_noticed() -> None:
    sealed = Sealer(bytes(32)).seal(b"secret", "a")
    with pytest.raises(WrongSeal, match="another key"):
        Sealer(bytes(31) + b"1").open(sealed, "a")
    for altered in (sealed[:-1], sealed[:-1] + bytes([sealed[-1] ^ 1]), sealed[:4], b""):
        with pytest.raises(WrongSeal):
            Sealer(bytes(32)).open(altered, "a")


def test_an_address_has_another_hash_in_each_tenant_and_under_each_key() -> None:
    hasher = AddressHasher(bytes(32))
    assert hasher.hash("tnt_1", "a@example.com") == AddressHasher(bytes(32)).hash("tnt_1", "a@example.com")
    hashes = {
        hasher.hash("tnt_1", "a@example.com"),
        hasher.hash("tnt_2", "a@example.com"),
        hasher.hash("tnt_1", "b@example.com"),
        AddressHasher(bytes([1] * 32)).hash("tnt_1", "a@example.com"),
    }
    assert {len(one) for one in hashes} == {64}
    assert len(hashes) == 4
