"""Every ignored finding of a linter or type checker names the rule, and says why on the same line."""

import io
import re
import tokenize
from collections.abc import Iterable, Iterator
from typing import Final

from tools.lint.sources import Module, Violation

_IGNORE: Final = re.compile(r"#\s*(?:noqa|ruff:\s*noqa|type:\s*ignore|mypy:|pyright:)")
_REASONED: Final = re.compile(
    r"#\s*(?:noqa:\s*[A-Z]+[0-9]+(?:,\s*[A-Z]+[0-9]+)*|(?:type:|pyright:)\s*ignore\[[\w-]+(?:,\s*[\w-]+)*\])"
    r" - \w.*"
)


def check_ignores(modules: Iterable[Module]) -> Iterator[Violation]:
    """Yield every ignoring comment that names no rule or gives no reason."""
    for module in modules:
        for token in tokenize.generate_tokens(io.StringIO(module.text).readline):
            if token.type == tokenize.COMMENT and _IGNORE.match(token.string) and not _REASONED.match(token.string):
                message = "an ignore names its rule and its reason: # noqa: RULE - why"
                yield Violation(module.path, token.start[0], message)
