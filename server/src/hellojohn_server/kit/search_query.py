"""A search question as words, folded the way the searched text is."""

from typing import Final

import msgspec

from hellojohn_server.kit.error_codes import FieldCode
from hellojohn_server.kit.errors import FieldError, Invalid
from hellojohn_server.kit.text import PREFIX_LENGTH, fold, words

MAX_QUERY_LENGTH: Final = 200
MAX_WORDS: Final = 16
TRIGRAM: Final = 3


class SearchWords(msgspec.Struct, frozen=True):
    """What must occur in a user's search text: `anywhere` as parts of it, `starts` at the start of words. Each once."""

    anywhere: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()


def parse_query(query: str) -> SearchWords:
    """Return the words of `query`; none for an empty or blank one.

    A word of three characters and more (after folding) may occur anywhere; of a shorter one the letters and digits
    count, and they must begin a word. One without any is left out. Raises Invalid when query_fault finds a fault.
    """
    asked = _asked(query)
    fault = _fault(query, asked)
    if fault is not None:
        raise Invalid(details=[FieldError("query", FieldCode.INVALID, fault)])
    anywhere = tuple(word for word in asked if len(word) > PREFIX_LENGTH)
    return SearchWords(anywhere, tuple(dict.fromkeys(_starts(asked))))


def query_fault(query: str) -> str | None:
    """Say what is wrong with `query` (nothing in it can be searched for; too many words), or None."""
    return _fault(query, _asked(query))


def _asked(query: str) -> list[str]:
    return list(dict.fromkeys(fold(query).split()))


def _fault(query: str, asked: list[str]) -> str | None:
    if len(asked) > MAX_WORDS:
        return f"Has {len(asked)} words; at most {MAX_WORDS} are searched for."
    is_blank = not query.strip()
    if not is_blank and not _starts(asked) and all(len(word) <= PREFIX_LENGTH for word in asked):
        return "Needs a letter or a digit, or three characters together, to search for."
    return None


def _starts(asked: list[str]) -> list[str]:
    return [start for word in asked if len(word) <= PREFIX_LENGTH for start in words(word)]


def indexed_part(word: str) -> str:
    """Return the part of a word (of three characters and more) that is looked up in an index of trigrams.

    It is all of it, but of an address or its domain without all but the first letter after the last dot: nearly
    everybody's address ends in one of a few ways, and to look that up for each candidate costs more than to compare it.
    """
    head, dot, tail = word.rpartition(".")
    return head + dot + tail[:1] if "@" in head and len(head) >= TRIGRAM else word


def looked_up_by_letters(word: str) -> str:
    """Return the part of a word that is looked up in an index of trigrams of letters and digits alone.

    That is indexed_part without its end: a dot and a letter are no trigram there but that of where a word begins.
    """
    part = indexed_part(word)
    return part if part == word else part.rpartition(".")[0]
