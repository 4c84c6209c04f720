"""Keys derived from the encryption key: another for each purpose, the same everywhere."""

from hellojohn_server.kit.secrets import Purpose, derive_key


def test_each_purpose_has_its_own_key_and_each_encryption_key_others() -> None:
    keys = {derive_key(bytes(secret), purpose) for secret in ([0] * 32, [1] * 32) for purpose in Purpose}
    assert len(keys) == 2 * len(Purpose)
    assert {len(key) for key in keys} == {32}


def test_the_derivation_never_changes() -> None:
    """A change here makes every cursor out there invalid and every server refuse its store."""
    assert {purpose: derive_key(bytes(32), purpose).hex()[:16] for purpose in Purpose} == {
        Purpose.CURSORS: "0b28300c0dfa89b7",
        Purpose.KEY_CHECK: "38a7e96b810d1d13",
    }
