"""The passwords that are tried first: the most frequent ones of published leaks, as the library zxcvbn ships them."""

import unicodedata
from functools import cache
from importlib import import_module


def password_key(text: str) -> str:
    """Return what a password is looked up by: NFKC and case-folded."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


@cache
def common_passwords() -> frozenset[str]:
    """Return the keys of some 30,000 passwords. The first call reads them: a tenth of a second, so call it in a thread.

    They are read here as most commands, and servers until somebody chooses a password, need none of the 14 MB.
    """
    lists = import_module("zxcvbn.frequency_lists").FREQUENCY_LISTS
    return frozenset(password_key(text) for text in lists["passwords"])
