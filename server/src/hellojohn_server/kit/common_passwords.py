"""The passwords that are tried first: the most frequent ones of published leaks, as the library zxcvbn ships them."""

import unicodedata
from typing import Final

from zxcvbn.frequency_lists import FREQUENCY_LISTS


def password_key(text: str) -> str:
    """Return what a password is looked up by: NFKC and case-folded."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


COMMON_PASSWORDS: Final[frozenset[str]] = frozenset(password_key(text) for text in FREQUENCY_LISTS["passwords"])
"""The keys of some 30,000 passwords."""
