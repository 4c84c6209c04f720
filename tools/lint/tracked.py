"""No file names a package registry's host or a path of somebody's machine."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from tools.lint.sources import Violation

_HOSTS: Final = (r"py[p]i\.org", r"python[h]osted\.org", r"npm[j]s\.org", r"deb[i]an\.org")
_REGISTRY: Final = re.compile(rf"\b(?:{'|'.join(_HOSTS)})\b")
_MACHINE: Final = re.compile(r"(?<![\w.}\])~*?-])/(?:root|work|workspace|tmp|home/\w+|Users/\w+)/\w")


def check_tracked(files: Iterable[tuple[str, str]]) -> Iterator[Violation]:
    """Yield every line of (path, text) that names such a host or path."""
    for path, text in files:
        for number, line in enumerate(text.splitlines(), start=1):
            if _REGISTRY.search(line):
                yield Violation(path, number, "names the host of a package registry")
            if _MACHINE.search(line):
                yield Violation(path, number, "names a path of one machine")
