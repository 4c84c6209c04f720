"""The rows of the audit walk for second factors."""

from typing import Any, Final

from tests.walk.rows import Entry, Row

FACTOR: Final = "<factor>"
ENROLLED: Final = {"mfa_enrolled": (False, True)}
LEFT: Final = {"mfa_enrolled": (True, False)}


def _own(kind: str, **told: Any) -> Entry:
    return Entry(type=f"user.mfa_{kind}", resource=("user", "caller"), by="caller", **told)


def _users(kind: str, reason: str | None = None, **told: Any) -> Entry:
    return Entry(type=f"user.mfa_{kind}", resource=("user", "user"), reason=reason, **told)


def _totp(factor: str = FACTOR) -> dict[str, str]:
    return {"factor_id": factor, "type": "totp"}


MFA_TABLE: Final[dict[str, Row]] = {
    "verify_mfa": Row(
        200,
        [
            Entry(
                type="user.signed_in",
                resource=("user", "caller"),
                by="caller",
                metadata={"session_id": "<session>", "amr": ["pwd", "otp", "mfa"], "factor_id": FACTOR},
            )
        ],
    ),
    "sign_in_with_passkey": Row(
        200,
        [
            Entry(
                type="user.signed_in",
                resource=("user", "caller"),
                by="caller",
                metadata={"session_id": "<session>", "amr": ["hwk", "user", "mfa"], "factor_id": FACTOR},
            )
        ],
    ),
    "begin_own_factor": Row(201, [_own("enrollment_begun", metadata=_totp("<made>"))]),
    "confirm_own_factor": Row(200, [_own("factor_added", changes=ENROLLED, metadata=_totp())]),
    "remove_own_factor": Row(204, [_own("factor_removed", changes=LEFT, metadata=_totp())]),
    "generate_own_backup_codes": Row(200, [_own("backup_codes_generated")]),
    "begin_user_factor": Row(201, [_users("enrollment_begun", "asked to", metadata=_totp("<made>"))]),
    "confirm_user_factor": Row(200, [_users("factor_added", changes=ENROLLED, metadata=_totp())]),
    "remove_user_factor": Row(
        204,
        [_users("factor_removed", "a lost phone", changes=LEFT, metadata=_totp())],
    ),
    "generate_user_backup_codes": Row(200, [_users("backup_codes_generated", "lost the list")]),
}
