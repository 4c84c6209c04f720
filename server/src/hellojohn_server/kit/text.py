"""Text as it is compared: one folding for what is searched and for the question, one key for e-mail addresses.

Everything is done here, in Python, so that both stores and the query agree to the character.
"""

import re
import unicodedata
from typing import Final

PREFIX_LENGTH: Final = 2
"""A search word of up to this many characters is looked for at the start of words; a longer one anywhere."""

_WORD: Final = re.compile(r"[^\W_]+")


def fold(text: str) -> str:
    """Return `text` without case, accents and other marks: NFKD, marks and invisible characters removed, case-folded.

    "José" and "JOSE" fold alike; ß folds to ss, İ to i, full-width forms to plain ones. Folding again
    changes nothing. Hangul comes out as its letters, scripts that write vowels as marks without them.
    """
    if text.isascii():
        return text.casefold()
    folded = _without_marks(text).casefold()
    return folded if folded.isascii() else _without_marks(folded)


def _without_marks(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(character for character in decomposed if not _is_dropped(character))


def _is_dropped(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] == "M" or category == "Cf"


def words(folded: str) -> list[str]:
    """Return the words of a folded text: its runs of Unicode letters and digits, in order."""
    return _WORD.findall(folded)


def search_text(*fields: str | None) -> str:
    """Return what a search looks in: the folded fields that are there, one on each line."""
    return "\n".join(fold(field) for field in fields if field is not None)


def search_prefixes(text: str) -> list[str]:
    """Return the first one and two characters of each word of a folded text, each once, in order of appearance."""
    prefixes = (word[:length] for word in words(text) for length in range(1, PREFIX_LENGTH + 1))
    return list(dict.fromkeys(prefixes))


def email_key(email: str) -> str:
    """Return what an address is compared by: NFKC and case-folded. The address itself is kept as it was given."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", email).casefold())
