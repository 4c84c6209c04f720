"""The form of backup codes: ten characters of Crockford's base 32, in two groups, typed in any case and with slips."""

import secrets
from typing import Final

BACKUP_CODES: Final = 10
"""How many a user is given at once."""
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_GROUP: Final = 5
_GROUPS: Final = 2
BACKUP_CODE_LENGTH: Final = _GROUP * _GROUPS
_SLIPS: Final = str.maketrans("OIL", "011", "- ")


def make_backup_codes() -> list[str]:
    """Return ten codes of 50 random bits each, all different."""
    codes: set[str] = set()
    while len(codes) < BACKUP_CODES:
        codes.add("-".join("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS)))
    return sorted(codes)


def normalize_code(text: str) -> str:
    """Return what was typed in the form in which codes are compared; six digits stay as they are."""
    return text.upper().translate(_SLIPS)
