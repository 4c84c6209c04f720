"""What the verifiers make of the feed of revocations: taken in, kept, stale, broken off, begun anew."""

from datetime import UTC, datetime
from typing import Any, Final

import msgspec
import pytest

from hellojohn.verify._feed import EventReader
from hellojohn.verify._revocations import Entry, Revocations
from hellojohn.verify._tokens import Claims

NOW: Final = 1_790_000_000.0
CLAIMS: Final = Claims(
    iss="i", aud="tnt_1", sub="usr_1", sid="ses_1", tenant_id="tnt_1", role="member", email="a@example.com", gen=4,
    iat=int(NOW) - 10, exp=int(NOW) + 900, jti="j",
)  # fmt: skip


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(NOW + seconds, UTC)


def entry(kind: str, revoked: float = 0, forget: float = 900, **named: Any) -> Entry:
    return Entry(type=kind, revoked_at=at(revoked), forget_at=at(forget), **named)


@pytest.mark.parametrize(
    ("told", "is_refused"),
    [
        (entry("session", session_id="ses_1"), True),
        (entry("session", session_id="ses_2"), False),
        (entry("session", revoked=200, session_id="ses_1"), True),
        (entry("session", revoked=3600, session_id="ses_1"), False),
        (entry("user", user_id="usr_1", gen_below=5), True),
        (entry("user", user_id="usr_1", gen_below=4), False),
        (entry("user", user_id="usr_2", gen_below=9), False),
        (entry("signing_key", kid="key_1"), True),
        (entry("signing_key", kid="key_2"), False),
        (entry("tenant", tenant_id="tnt_1"), True),
        (entry("tenant", revoked=-10, tenant_id="tnt_1"), True),
        (entry("tenant", revoked=-11, tenant_id="tnt_1"), False),
        (entry("of_a_later_server", user_id="usr_1"), False),
        (entry("session", forget=0, session_id="ses_1"), False),
    ],
)
def test_an_entry_refuses_what_it_names(told: Entry, is_refused: bool) -> None:
    revocations = Revocations()
    revocations.add(told, NOW)
    assert revocations.has("key_1", CLAIMS, NOW) is is_refused
    revocations.forget(NOW + 900)
    assert len(revocations) == 0
    assert not revocations.has("key_1", CLAIMS, NOW)


def test_an_entry_may_come_twice_and_the_stronger_holds() -> None:
    revocations = Revocations()
    for told in (
        entry("user", user_id="usr_1", gen_below=5, forget=10),
        entry("user", user_id="usr_1", gen_below=3, forget=20),
        entry("session", revoked=7200, session_id="ses_1", forget=30),
        entry("session", session_id="ses_1", forget=25),
    ):
        revocations.add(told, NOW)
    assert len(revocations) == 2
    revocations.forget(NOW + 15)
    assert len(revocations) == 2
    assert revocations.has("key_1", msgspec.structs.replace(CLAIMS, sid="ses_2"), NOW)
    assert revocations.has("key_1", msgspec.structs.replace(CLAIMS, gen=9), NOW)
    revocations.forget(NOW + 30)
    assert len(revocations) == 0


def test_memory_is_bounded_and_it_is_known_that_something_lacks() -> None:
    revocations = Revocations(max_entries=2)
    for number in range(3):
        revocations.add(entry("session", session_id=f"ses_{number}", forget=10 + number), NOW)
    assert len(revocations) == 2
    assert [revocations.is_complete(NOW + later) for later in (0, 11.9, 12)] == [False, False, True]


EVENTS: Final = b"""retry: 250

id: c1
event: revocation
data: {}\r

: a comment

id: c2
event: heartbeat
data: {}

"""


def test_events_come_out_of_any_pieces() -> None:
    for size in (1, 3, 7, len(EVENTS)):
        reader = EventReader()
        found = [one for start in range(0, len(EVENTS), size) for one in reader.feed(EVENTS[start : start + size])]
        assert [(one.kind, one.id, one.data) for one in found] == [
            ("revocation", "c1", "{}"),
            ("heartbeat", "c2", "{}"),
        ]
