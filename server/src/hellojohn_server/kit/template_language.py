"""The part of Jinja2 that texts of mails may be written in: values, a few filters, and conditions.

Tenants write such texts, and one process serves many tenants, so what they say must cost little whatever it is. There
is nothing to repeat with, to build up, or to reach into objects with: what comes out is at most as long as the source
and a few values together, and the source is measured before it is parsed. Jinja2's sandbox stands behind that.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

MAX_SOURCE: Final = 65_536
MAX_OUTPUT: Final = 262_144
_MAX_TAGS: Final = 64
_MAX_CODE: Final = 2_000
_BEGINS: Final = frozenset({"block_begin", "comment_begin", "raw_begin", "variable_begin"})
_KEPT: Final = 512

_ALLOWED: Final = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Const,
    nodes.Filter,
    nodes.If,
    nodes.CondExpr,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Compare,
    nodes.Operand,
)


class TemplateFault(Exception):
    """A source that is none of ours. The message is a sentence for whoever wrote it."""


def _text_filter(change: Callable[[str], str]) -> Callable[[Any], Any]:
    """Return a filter that changes text and makes no markup of it: what comes out is escaped like any other text."""
    return lambda value: change(str(value))


_FILTERS: Final = {
    "capitalize": _text_filter(str.capitalize),
    "lower": _text_filter(str.lower),
    "trim": _text_filter(str.strip),
    "upper": _text_filter(str.upper),
    "urlencode": None,  # Jinja2's own
}


def _environment(*, autoescape: bool) -> ImmutableSandboxedEnvironment:
    made = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=autoescape, keep_trailing_newline=True)
    filters: dict[str, Any] = made.filters
    for name in filters.keys() - _FILTERS.keys():
        del filters[name]
    filters.update({name: own for name, own in _FILTERS.items() if own is not None})
    made.tests.clear()
    made.globals.clear()
    return made


_TEXT: Final = _environment(autoescape=False)
_HTML: Final = _environment(autoescape=True)


class Source:
    """A source that was found to be ours, ready to be rendered."""

    def __init__(self, render: Callable[..., Iterator[str]]) -> None:
        self._render = render

    def render(self, values: Mapping[str, str]) -> str:
        """Return the text with `values` in it; TemplateFault when it is longer than MAX_OUTPUT."""
        pieces: list[str] = []
        left = MAX_OUTPUT
        try:
            for piece in self._render(values):
                left -= len(piece)
                if left < 0:
                    raise TemplateFault(f"What comes out is longer than {MAX_OUTPUT:,} characters.")
                pieces.append(piece)
        except TemplateError as error:
            raise TemplateFault(f"It cannot be rendered: {error.message}.") from error
        except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError) as error:
            raise TemplateFault("It cannot be rendered.") from error
        return "".join(pieces)


@lru_cache(_KEPT)
def read_source(text: str, names: frozenset[str], *, html: bool) -> Source:
    """Return a source that uses nothing but the values called `names`; TemplateFault says what else is in it."""
    environment = _HTML if html else _TEXT
    try:
        _measure(environment, text)
        tree = environment.parse(text)
        _check(tree, names)
        return Source(environment.from_string(tree).generate)
    except TemplateSyntaxError as error:
        raise TemplateFault(f"Line {error.lineno}: {error.message}.") from error
    except (RecursionError, SyntaxError, ValueError, MemoryError) as error:
        raise TemplateFault("It is nested too deeply, or a number in it is too long.") from error


def _measure(environment: ImmutableSandboxedEnvironment, text: str) -> None:
    """Refuse what would take long to parse. The lexer goes no further than to what is too much."""
    if len(text) > MAX_SOURCE:
        raise TemplateFault(f"It is longer than {MAX_SOURCE:,} characters.")
    tags = code = 0
    for _, kind, token in environment.lex(text):
        tags += kind in _BEGINS
        code += 0 if kind == "data" else len(token)
        if tags > _MAX_TAGS:
            raise TemplateFault(f"It has more than {_MAX_TAGS} tags.")
        if code > _MAX_CODE:
            raise TemplateFault(f"Its tags have more than {_MAX_CODE:,} characters in all.")


def _check(tree: nodes.Template, names: frozenset[str]) -> None:
    waiting: list[nodes.Node] = [tree]
    while waiting:
        node = waiting.pop()
        if not isinstance(node, _ALLOWED):
            what, line = type(node).__name__.lower(), node.lineno or 1
            raise TemplateFault(f"Line {line}: {what} is not available in mails: values, if and filters are.")
        if isinstance(node, nodes.Name):
            _require_one_of(node, "value", node.name, names)
        elif isinstance(node, nodes.Filter):
            _require_one_of(node, "filter", node.name, _FILTERS)
        waiting.extend(node.iter_child_nodes())


def _require_one_of(node: nodes.Node, kind: str, name: str, known: Collection[str]) -> None:
    if name not in known:
        raise TemplateFault(
            f"Line {node.lineno}: there is no {kind} {name!r} here. There are: {', '.join(sorted(known))}."
        )
