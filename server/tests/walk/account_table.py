"""The rows of the audit walk for what users do about themselves, and for sessions."""

from typing import Final

from tests.walk.rows import Entry, Row

SESSION: Final = "<session>"

ACCOUNT_TABLE: Final[dict[str, Row]] = {
    "sign_up": Row(
        201,
        [
            Entry(
                type="user.created",
                resource=("user", "made_user"),
                by="made_user",
                changes={"email": (None, "a@example.com"), "role": (None, "member")},
                metadata={"password": "set"},
            ),
            Entry(
                type="user.signed_in",
                resource=("user", "made_user"),
                by="made_user",
                metadata={"session_id": SESSION, "amr": ["pwd"]},
            ),
        ],
    ),
    "sign_in": Row(
        200,
        [
            Entry(
                type="user.signed_in",
                resource=("user", "caller"),
                by="caller",
                metadata={"session_id": SESSION, "amr": ["pwd"]},
            )
        ],
    ),
    "refresh_tokens": Row(200, []),
    "sign_out": Row(
        204,
        [Entry(type="user.signed_out", resource=("user", "caller"), by="caller", metadata={"session_id": SESSION})],
    ),
    "update_me": Row(
        200,
        [Entry(type="user.updated", resource=("user", "caller"), by="caller", changes={"name": (None, "B")})],
    ),
    "change_password": Row(
        200,
        [
            Entry(
                type="user.password_changed",
                resource=("user", "caller"),
                by="caller",
                metadata={"sessions_revoked": 1},
            )
        ],
    ),
    "change_email": Row(
        202,
        [Entry(type="user.email_change_requested", resource=("user", "caller"), by="caller")],
    ),
    "accept_invitation": Row(
        204,
        [
            Entry(
                type="user.invitation_accepted",
                resource=("user", "caller"),
                by="caller",
                changes={"email_verified": (False, True)},
                metadata={"sessions_revoked": 0},
            )
        ],
    ),
    "request_magic_link": Row(
        202,
        [Entry(type="user.magic_link_requested", resource=("user", "user"), by="publishable")],
    ),
    "verify_magic_link": Row(
        200,
        [
            Entry(
                type="user.email_verified",
                resource=("user", "caller"),
                by="caller",
                changes={"email_verified": (False, True)},
                metadata={"password_removed": True, "sessions_revoked": 1, "passkeys_removed": 0},
            ),
            Entry(
                type="user.signed_in",
                resource=("user", "caller"),
                by="caller",
                metadata={"session_id": SESSION, "amr": ["email"]},
            ),
        ],
    ),
    "verify_email": Row(
        204,
        [
            Entry(
                type="user.email_verified",
                resource=("user", "caller"),
                by="caller",
                changes={"email_verified": (False, True)},
            )
        ],
    ),
    "forgot_password": Row(
        202,
        [Entry(type="user.password_reset_requested", resource=("user", "user"), by="publishable")],
    ),
    "reset_password": Row(
        204,
        [
            Entry(
                type="user.password_reset",
                resource=("user", "caller"),
                by="caller",
                changes={"email_verified": (False, True)},
                metadata={"sessions_revoked": 1},
            )
        ],
    ),
    "revoke_own_session": Row(
        204,
        [Entry(type="session.revoked", resource=("user", "caller"), by="caller", metadata={"session_id": SESSION})],
    ),
    "revoke_every_session": Row(
        200,
        [
            Entry(
                type="tenant.sessions_revoked",
                resource=("tenant", "tenant"),
                reason="a breach",
                metadata={"sessions_revoked": 1},
            )
        ],
    ),
    "revoke_session": Row(
        200,
        [
            Entry(
                type="session.revoked",
                resource=("user", "user"),
                reason="a lost phone",
                metadata={"session_id": SESSION},
            )
        ],
    ),
}
