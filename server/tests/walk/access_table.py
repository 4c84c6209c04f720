"""The rows of the audit walk for acts on users' access."""

from typing import Any, Final

from tests.walk.access_acts import END
from tests.walk.rows import Entry, Row


def _about(kind: str, reason: str, user: str = "user", **told: Any) -> Entry:
    return Entry(type=f"user.{kind}", resource=("user", user), reason=reason, **told)


def _bulk(kind: str, counted: dict[str, int], **told: Any) -> Row:
    """Return the row of a call that changes two users, finds one unchanged, and one id of nobody."""
    entries = [_about(kind, "a wave of spam", user, **told) for user in ("user", "other")]
    counts = {"requested": 4, **counted, "unchanged": 1, "not_found": 1, "refused": 0}
    call = Entry(type=f"users.bulk_{kind}", resource=("user", ""), metadata=counts)
    return Row(200, [*entries, call])


NONE_ENDED: Final = {"sessions_revoked": 0}

RESET_FORCED: Final = {"password_reset_required": (False, True)}
_COUNTED: Final = {"requested": 3, "emails_queued": 2, **NONE_ENDED, "unchanged": 0, "not_found": 1, "refused": 0}

ACCESS_TABLE: Final[dict[str, Row]] = {
    "ban_user": Row(
        200,
        [
            _about(
                "banned",
                "spam",
                changes={"banned": (False, True), "banned_until": (None, END)},
                metadata=NONE_ENDED,
            )
        ],
    ),
    "unban_user": Row(
        200,
        [_about("unbanned", "a mistake", changes={"banned": (True, False), "banned_until": (END, None)})],
    ),
    "unlock_user": Row(200, [_about("unlocked", "called us", changes={"locked_until": (END, None)})]),
    "delete_user": Row(
        200,
        [_about("deleted", "left", changes={"deleted": (False, True)}, metadata=NONE_ENDED)],
    ),
    "restore_user": Row(200, [_about("restored", "came back", changes={"deleted": (True, False)})]),
    "revoke_user_sessions": Row(
        200,
        [_about("sessions_revoked", "a lost phone", metadata={"sessions_revoked": 1})],
    ),
    "set_user_password": Row(
        200,
        [_about("password_set", "called us", metadata={"password": "set", "sessions_revoked": 0})],
    ),
    "force_password_reset": Row(
        202,
        [
            _about(
                "password_reset_forced",
                "a leak",
                changes=RESET_FORCED,
                metadata={"required": True, "sessions_revoked": 1},
            )
        ],
    ),
    "resend_invitation": Row(202, [_about("invited", "asked for it")]),
    "resend_verification": Row(202, [_about("verification_sent", "asked for it")]),
    "bulk_force_password_reset": Row(
        202,
        [
            *(
                _about(
                    "password_reset_forced",
                    "a wave of spam",
                    user,
                    changes=RESET_FORCED,
                    metadata={"required": True, "sessions_revoked": 0},
                )
                for user in ("user", "other")
            ),
            Entry(
                type="users.bulk_password_reset_forced",
                resource=("user", ""),
                metadata=_COUNTED,
            ),
        ],
    ),
    "bulk_ban_users": _bulk(
        "banned", {"banned": 2, **NONE_ENDED}, changes={"banned": (False, True)}, metadata=NONE_ENDED
    ),
    "bulk_delete_users": _bulk(
        "deleted", {"deleted": 2, **NONE_ENDED}, changes={"deleted": (False, True)}, metadata=NONE_ENDED
    ),
    "bulk_enable_users": _bulk("enabled", {"enabled": 2}, changes={"disabled": (True, False)}),
    "bulk_restore_users": _bulk("restored", {"restored": 2}, changes={"deleted": (True, False)}),
    "bulk_revoke_sessions": _bulk("sessions_revoked", {"sessions_revoked": 2}, metadata={"sessions_revoked": 1}),
    "bulk_unban_users": _bulk("unbanned", {"unbanned": 2}, changes={"banned": (True, False)}),
}
