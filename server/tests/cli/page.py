"""The specification page as it is printed: its calls, each in its section, the answers shown, and its tables."""

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

TEXT: Final = Path(__file__).with_name("admin_user_management.txt").read_text(encoding="utf-8")
"""A copy of the page. What the tests below send is what stands in it."""
HEADINGS: Final = (
    "List All Users",
    "Impersonate a User",
    "Disable a User",
    "Bulk Disable Users",
    "Force Password Reset",
    "Revoke All User Sessions",
    "Remove MFA Factor (Admin)",
    "View User Audit Events",
    "TypeScript Admin Client Pattern",
    "Best Practices",
)
SECTION: Final = re.compile(rf"^({'|'.join(map(re.escape, HEADINGS))})\n\n", re.MULTILINE)
CALL: Final = re.compile(r"^curl .*?(?=\n\n|\Z)", re.MULTILINE | re.DOTALL)
ANSWER: Final = re.compile(r"^Response:\n\n(\{.*?^\})", re.MULTILINE | re.DOTALL)
CLIENT_CALL: Final = re.compile(r"\bhj\.([a-zA-Z.]+)\(")


class PageCall(msgspec.Struct, frozen=True):
    """A call of the page: the section that it is in, its number there, the command, and the answer if one is shown."""

    section: str
    number: int
    command: str
    answer: dict[str, Any] | None


def sections() -> dict[str, str]:
    """Return the text of each section by its heading, in the page's order."""
    _, *parts = SECTION.split(TEXT)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def calls() -> list[PageCall]:
    """Return every call of the page, in its order."""
    found: list[PageCall] = []
    for section, text in sections().items():
        commands = CALL.findall(text)
        shown = ANSWER.search(text)
        answer = None if shown is None else json.loads(shown.group(1))
        found += [PageCall(section, number, command, answer) for number, command in enumerate(commands)]
    return found


def call_of(section: str, number: int = 0) -> str:
    """Return the command of a call."""
    return next(call.command for call in calls() if (call.section, call.number) == (section, number))


def names_in_table(section: str, head: str) -> list[str]:
    """Return the names in a table of a section: the words that its lines begin with, which the page runs together."""
    lines = sections()[section].partition(f"\n\n{head}\n")[2].partition("\n\n")[0].split("\n")
    found = [re.match(r"[a-z_]+?(?=[A-Z]|Filter|ISO|string|boolean|created_at \(|asc or)", line) for line in lines]
    return [match.group() for match in found if match is not None]


def client_calls() -> list[str]:
    """Return what the page calls of the TypeScript client, in its order."""
    return CLIENT_CALL.findall(sections()["TypeScript Admin Client Pattern"])


def paste(command: str, real: Mapping[str, str]) -> tuple[int, Any]:
    """Run a command in a shell with what it shows replaced by what there is; return the status and the body."""
    for shown, value in real.items():
        command = command.replace(shown, value)
    line = command.strip().replace("curl ", "curl -sS -w '\\n%{http_code}' ", 1)
    ended = subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=30, check=True)
    body, _, status = ended.stdout.rpartition("\n")
    return int(status), json.loads(body) if body else None
