"""The questions that are measured: words, filters, sorts and pages, of the demo's crowd (hj demo load).

What is common, middling and rare there is the same share of everybody at every size.
"""

import itertools
from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Final

import msgspec

from hellojohn_server.kit.times import format_time

DAY_MS: Final = 86_400_000


class Page(StrEnum):
    """Where in the result a page is."""

    FIRST = "first"
    DEEP = "deep"


class Case(msgspec.Struct, frozen=True):
    """A question. `is_scanned` says that the same is asked by a scan, to be compared."""

    name: str
    query: str | None = None
    filters: dict[str, Any] = {}
    field: str = "created_at"
    direction: str = "desc"
    page: Page = Page.FIRST
    is_scanned: bool = False


class Facts(msgspec.Struct, frozen=True):
    """What of the data the questions name: two organizations by size, and now."""

    big_organization: str
    small_organization: str
    now_ms: int


WORDS: Final = {
    "one user's number": "@one",
    "rare term": "wychyard",
    "common term": "smith",
    "two letters, frequent": "jo",
    "two letters, rare": "\N{GREEK SMALL LETTER ALPHA}\N{GREEK SMALL LETTER GAMMA}",
    "two letters, nobody": "qz",
    "e-mail prefix": "john.smith",
    "middling domain": "@tuta.example",
    "company's domain": "@quartz-systems.example",
    "common domain": "@gmail.example",
    "no match, letters never together": "qxzjv",
    "no match, frequent trigrams": "smithomas",
    "two common words, never together": "smith garcia",
    "two words, sometimes together": "smith mary",
    "common word and common domain": "smith gmail",
    "name in another script": "дмитрий",
}
SORTS: Final = (
    ("created_at", "asc"),
    ("name", "asc"),
    ("name", "desc"),
    ("email", "asc"),
    ("last_sign_in_at", "desc"),
)


def filters_of(facts: Facts) -> dict[str, dict[str, Any]]:
    """Return every filter by its name, alone and in the pairs that have no index of their own."""

    def ago(days: float) -> str:
        return format_time(facts.now_ms - round(days * DAY_MS))

    return {
        "disabled": {"disabled": True},
        "enabled": {"disabled": False},
        "with a second factor": {"mfa_enrolled": True},
        "address not verified": {"email_verified": False},
        "second factor, not verified": {"mfa_enrolled": True, "email_verified": False},
        "second factor, disabled": {"mfa_enrolled": True, "disabled": True},
        "status active": {"status": "active"},
        "status banned": {"status": "banned"},
        "status pending": {"status": "pending"},
        "status locked": {"status": "locked"},
        "status deleted": {"status": "deleted"},
        "status disabled": {"status": "disabled"},
        "role of 2 %": {"role": "support_agent"},
        "rare role": {"role": "security_officer"},
        "rare role, active": {"role": "security_officer", "status": "active"},
        "rare role, disabled": {"role": "security_officer", "disabled": True},
        "big organization": {"organization_id": facts.big_organization},
        "small organization": {"organization_id": facts.small_organization},
        "big organization, disabled": {"organization_id": facts.big_organization, "disabled": True},
        "of the last month": {"created_after": ago(30)},
        "of the first year": {"created_before": ago(2 * 365)},
        "last active since a day": {"last_active_after": ago(1)},
        "last active before two years": {"last_active_before": ago(2 * 365)},
        "many at once": {
            "mfa_enrolled": True,
            "disabled": False,
            "created_after": ago(500),
            "created_before": ago(100),
        },
    }


def cases_of(facts: Facts, one: str) -> Iterator[Case]:
    """Yield every question. `one` is the number that one user alone has."""
    filters = filters_of(facts)
    for field, direction in (("created_at", "desc"), *SORTS):
        for page in Page:
            if (field, direction, page) != ("created_at", "desc", Page.FIRST):
                yield Case(f"list by {field} {direction}, page {page}", None, {}, field, direction, page)
    for name, given in filters.items():
        yield Case(f"list: {name}", None, given)
        for field, direction in (("name", "asc"), ("last_sign_in_at", "desc"), ("email", "asc")):
            yield Case(f"list: {name}, by {field}", None, given, field, direction)
    for name, query in WORDS.items():
        word = one if query == "@one" else query
        yield Case(name, word, is_scanned=True)
        for field, direction in SORTS:
            yield Case(f"{name}, by {field} {direction}", word, {}, field, direction)
    for (name, query), (filtered, given) in itertools.product(WORDS.items(), filters.items()):
        yield Case(f"{name} + {filtered}", one if query == "@one" else query, given)
        if query in {"smith", "wychyard", "@tuta.example"}:
            yield Case(f"{name} + {filtered}, by name", one if query == "@one" else query, given, "name", "asc")
