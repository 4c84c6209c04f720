"""The text of a statement, as far as this service must understand it: words, strings, parameters, and brackets."""

import re
from collections.abc import Sequence
from enum import Enum
from functools import cache
from typing import Final, NamedTuple, TypeAlias


class TokenKind(Enum):
    """What a piece of a statement is. BLANK is white space or a comment."""

    BLANK = "blank"
    NAME = "name"
    OTHER = "other"
    PARAMETER = "parameter"
    STRING = "string"
    WORD = "word"


class Token(NamedTuple):
    """One piece. `text` is as written; a quoted NAME keeps its quotes."""

    kind: TokenKind
    text: str

    @property
    def word(self) -> str:
        """The keyword or bare name in capitals; empty for anything else."""
        return self.text.upper() if self.kind is TokenKind.WORD else ""

    @property
    def name(self) -> str:
        """The identifier it stands for, in small letters and without quotes; empty when it is none."""
        if self.kind is TokenKind.WORD:
            return self.text.lower()
        return self.text[1:-1].lower() if self.kind is TokenKind.NAME else ""


Node: TypeAlias = Token | list["Node"]
"""A token, or what stands between a pair of round brackets."""

_TOKEN: Final = re.compile(
    r"""
      (?P<blank>     \s+ | --[^\n]* | /\*.*?\*/ )
    | (?P<string>    [eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' | \$(?P<tag>[^\W\d]\w*)?\$ .*? \$(?(tag)(?P=tag))\$ )
    | (?P<name>      "(?:[^"]|"")*" | `[^`]*` )
    | (?P<cast>      :: )
    | (?P<parameter> :[^\W\d]\w* )
    | (?P<word>      [^\W\d]\w* )
    | (?P<number>    \d[\w.]* )
    | (?P<other>     [^'"`] )
    """,
    re.VERBOSE | re.DOTALL,
)
_KINDS: Final = {kind.value: kind for kind in TokenKind}
_NUMBERED: Final = re.compile(r"\$\d")
_PLACE: Final = re.compile(r"\$(\d+)")
_INTO: Final = re.compile(r"INSERT INTO (\w+)")
_PLAIN_INSERT: Final = re.compile(r"\s*INSERT INTO \w+\s*\([\w\s,]+\)\s*VALUES\s*\((?:\$\d+|\w+|[\s,])+\)\s*")


class MalformedStatement(ValueError):
    """A statement whose quotes or brackets do not close, or which is not written with named parameters."""


def tokens_of(sql: str) -> list[Token]:
    """Return every piece of `sql`, blanks too: joined, their texts are `sql`."""
    found: list[Token] = []
    position = 0
    while position < len(sql):
        match = _TOKEN.match(sql, position)
        if match is None or _NUMBERED.match(sql, position):
            raise MalformedStatement(f"cannot be read from {sql[position : position + 20]!r} on")
        kind = _KINDS.get(match.lastgroup or "", TokenKind.OTHER)
        found.append(Token(kind, match.group()))
        position = match.end()
    return found


def tree_of(tokens: list[Token]) -> list[Node]:
    """Return the tokens without blanks, each pair of round brackets as a list."""
    open_lists: list[list[Node]] = [[]]
    for token in tokens:
        if token.text == "(":
            inner: list[Node] = []
            open_lists[-1].append(inner)
            open_lists.append(inner)
        elif token.text == ")":
            open_lists.pop()
            if not open_lists:
                break
        elif token.kind is not TokenKind.BLANK:
            open_lists[-1].append(token)
    if len(open_lists) != 1:
        raise MalformedStatement("its brackets do not match")
    return open_lists[0]


def numbered(tokens: list[Token]) -> tuple[str, tuple[str, ...]]:
    """Return the text with $1, $2... in place of :names, and the names in that order."""
    order: dict[str, int] = {}
    pieces: list[str] = []
    for token in tokens:
        if token.kind is TokenKind.PARAMETER:
            number = order.setdefault(token.text[1:], len(order) + 1)
            pieces.append(f"${number}")
        else:
            pieces.append(token.text)
    return "".join(pieces), tuple(order)


@cache
def is_plain_insert(sql: str) -> bool:
    """Say whether a numbered text is an INSERT of one row of values that neither looks at other rows nor answers any.

    Such inserts are the same one after the other and together.
    """
    return _PLAIN_INSERT.fullmatch(sql) is not None


def looks_elsewhere(inserts: Sequence[str], sql: str) -> bool:
    """Say whether a numbered text names no table of these plain inserts.

    If so it may go in one statement with them, where it does not see their rows.
    """
    words = {token.name for token in tokens_of(_PLACE.sub("", sql))}
    tables = {_INTO.findall(text)[0].lower() for text in inserts}
    return "with" not in words and not tables & words


def together(texts: Sequence[str]) -> str:
    """Return the numbered texts of plain inserts as one; its arguments are theirs, one after the other.

    The last may be another statement, one that looks elsewhere.
    """
    pieces: list[str] = []
    before = 0
    for text in texts:
        numbers = [int(number) for number in _PLACE.findall(text)]
        shift = before
        pieces.append(_PLACE.sub(lambda place: f"${int(place[1]) + shift}", text))  # noqa: B023 - called at once
        before += max(numbers, default=0)
    *others, last = pieces
    if not others:
        return last
    return "WITH " + ", ".join(f"i{number} AS ({text})" for number, text in enumerate(others)) + f" {last}"
