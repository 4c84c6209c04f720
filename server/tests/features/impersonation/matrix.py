"""Who may do what to whom: the expected answer in each cell, written by hand.

Each table is of one call. Its rows are who calls, its columns whom the call is about; a cell names an answer. Who has
no row in a call's own table has one in SHUT_OUT: they are refused whatever the call is.
"""

from typing import Final

ANSWERS: Final[dict[str, tuple[int, str]]] = {
    "ok": (200, ""),
    "made": (201, ""),
    "taken": (202, ""),
    "gone": (204, ""),
    "kind": (403, "credential_not_allowed"),
    "shut": (403, "impersonation_forbidden"),
    "scope": (403, "insufficient_scope"),
    "none": (404, "user_not_found"),
    "lost": (404, "session_not_found"),
    "factor": (404, "mfa_factor_not_found"),
    "bare": (409, "no_mfa_factor"),
    "settled": (409, "user_not_pending"),
    "banned": (409, "user_banned"),
    "disabled": (409, "user_disabled"),
    "deleted": (409, "user_deleted"),
}

WHO: Final[dict[str, str]] = {
    "impersonator": "a key with users:impersonate only",
    "everything": "a key with *",
    "manager": "a key with * and admins:manage",
    "publishable": "a publishable key",
    "master": "a master key",
    "user": "a user's own access token",
    "acting": "the token of an impersonation of an administrator",
    "looking": "the token of one that is read-only",
}

SHUT_OUT: Final = """
             member custom officer admin super banned disabled deleted locked pending other unknown
impersonator scope  scope  scope   scope scope scope  scope    scope   scope  scope   scope scope
publishable  kind   kind   kind    kind  kind  kind   kind     kind    kind   kind    kind  kind
master       kind   kind   kind    kind  kind  kind   kind     kind    kind   kind    kind  kind
user         kind   kind   kind    kind  kind  kind   kind     kind    kind   kind    kind  kind
acting       shut   shut   shut    shut  shut  shut   shut     shut    shut   shut    shut  shut
looking      shut   shut   shut    shut  shut  shut   shut     shut    shut   shut    shut  shut
"""

TABLES: Final[dict[str, str]] = {
    "impersonate": """
             member custom officer admin super banned disabled deleted locked pending other unknown
impersonator ok     ok     scope   scope scope banned disabled deleted ok     ok      none  none
everything   ok     ok     scope   scope scope banned disabled deleted ok     ok      none  none
manager      ok     ok     ok      ok    ok    banned disabled deleted ok     ok      none  none
""",
    "rename": """
             member custom officer admin super banned disabled deleted locked pending other unknown
everything   ok     ok     scope   scope scope ok     ok       deleted ok     ok      none  none
manager      ok     ok     ok      ok    ok    ok     ok       deleted ok     ok      none  none
""",
    "give an address": """
             member custom officer admin super banned disabled deleted locked pending other unknown
everything   ok     ok     scope   scope scope ok     ok       deleted ok     ok      none  none
manager      ok     ok     ok      ok    ok    ok     ok       deleted ok     ok      none  none
""",
    "promote": """
             member custom officer admin super banned disabled deleted locked pending other unknown
everything   scope  scope  scope   scope scope scope  scope    scope   scope  scope   none  none
manager      ok     ok     ok      ok    ok    ok     ok       deleted ok     ok      none  none
""",
    "promote as the tenant's own": """
             member custom officer admin super banned disabled deleted locked pending other unknown
everything   scope  scope  scope   scope scope scope  scope    scope   scope  scope   none  none
manager      ok     ok     ok      ok    ok    ok     ok       deleted ok     ok      none  none
""",
    "demote": """
             member custom officer admin super banned disabled deleted locked pending other unknown
everything   ok     ok     scope   scope scope ok     ok       deleted ok     ok      none  none
manager      ok     ok     ok      ok    ok    ok     ok       deleted ok     ok      none  none
""",
    "disable": """
             member custom officer admin super banned disabled deleted locked pending other unknown
everything   ok     ok     scope   scope scope ok     ok       deleted ok     ok      none  none
manager      ok     ok     ok      ok    ok    ok     ok       deleted ok     ok      none  none
""",
    "enable": """
             member custom officer admin super banned disabled deleted locked pending other unknown
everything   ok     ok     scope   scope scope ok     ok       deleted ok     ok      none  none
manager      ok     ok     ok      ok    ok    ok     ok       deleted ok     ok      none  none
""",
    "ban": """
             member custom officer admin super banned disabled deleted locked pending other unknown
everything   ok     ok     scope   scope scope ok     ok       deleted ok     ok      none  none
manager      ok     ok     ok      ok    ok    ok     ok       deleted ok     ok      none  none
""",
    "unban": """
             member custom officer admin super banned disabled deleted locked pending other unknown
everything   ok     ok     scope   scope scope ok     ok       deleted ok     ok      none  none
manager      ok     ok     ok      ok    ok    ok     ok       deleted ok     ok      none  none
""",
    "unlock": """
             member custom officer admin super banned disabled deleted locked pending other unknown
everything   ok     ok     scope   scope scope ok     ok       deleted ok     ok      none  none
manager      ok     ok     ok      ok    ok    ok     ok       deleted ok     ok      none  none
""",
    "delete": """
             member custom officer admin super banned disabled deleted locked pending other unknown
everything   ok     ok     scope   scope scope ok     ok       ok      ok     ok      none  none
manager      ok     ok     ok      ok    ok    ok     ok       ok      ok     ok      none  none
""",
    "erase": """
             member custom officer admin super banned disabled deleted locked pending other unknown
everything   gone   gone   scope   scope scope gone   gone     gone    gone   gone    none  none
manager      gone   gone   gone    gone  gone  gone   gone     gone    gone   gone    none  none
""",
    "restore": """
             member custom officer admin super banned disabled deleted locked pending other unknown
everything   ok     ok     scope   scope scope ok     ok       ok      ok     ok      none  none
manager      ok     ok     ok      ok    ok    ok     ok       ok      ok     ok      none  none
""",
    "set a password": """
             member custom officer admin super banned disabled deleted locked pending other unknown
everything   ok     ok     scope   scope scope ok     ok       deleted ok     ok      none  none
manager      ok     ok     ok      ok    ok    ok     ok       deleted ok     ok      none  none
""",
    "end every session": """
             member custom officer admin super banned disabled deleted locked pending other unknown
everything   ok     ok     scope   scope scope ok     ok       deleted ok     ok      none  none
manager      ok     ok     ok      ok    ok    ok     ok       deleted ok     ok      none  none
""",
    "end a session": """
             member custom officer admin super banned disabled deleted locked pending other unknown
everything   ok     ok     scope   scope scope ok     ok       ok      ok     ok      lost  lost
manager      ok     ok     ok      ok    ok    ok     ok       ok      ok     ok      lost  lost
""",
    "force a reset": """
             member custom officer admin super banned disabled deleted locked pending other unknown
everything   taken  taken  scope   scope scope taken  taken    deleted taken  taken   none  none
manager      taken  taken  taken   taken taken taken  taken    deleted taken  taken   none  none
""",
    "resend the verification": """
             member custom officer admin super banned disabled deleted locked pending other unknown
everything   taken  taken  scope   scope scope taken  taken    deleted taken  taken   none  none
manager      taken  taken  taken   taken taken taken  taken    deleted taken  taken   none  none
""",
    "resend the invitation": """
             member  custom  officer admin   super   banned  disabled deleted locked  pending other unknown
everything   settled settled scope   scope   scope   settled settled  deleted settled taken   none  none
manager      settled settled settled settled settled settled settled  deleted settled taken   none  none
""",
    "begin a factor": """
             member custom officer admin super banned disabled deleted locked pending other unknown
everything   made   made   scope   scope scope made   made     deleted made   made    none  none
manager      made   made   made    made  made  made   made     deleted made   made    none  none
""",
    "confirm a factor": """
             member custom officer admin  super  banned disabled deleted locked pending other unknown
everything   factor factor scope   scope  scope  factor factor   deleted factor factor  none  none
manager      factor factor factor  factor factor factor factor   deleted factor factor  none  none
""",
    "remove a factor": """
             member custom officer admin  super  banned disabled deleted locked pending other unknown
everything   factor factor scope   scope  scope  factor factor   deleted factor factor  none  none
manager      factor factor factor  factor factor factor factor   deleted factor factor  none  none
""",
    "make backup codes": """
             member custom officer admin super banned disabled deleted locked pending other unknown
everything   bare   bare   scope   scope scope bare   bare     deleted bare   bare    none  none
manager      bare   bare   bare    bare  bare  bare   bare     deleted bare   bare    none  none
""",
}

CALLS: Final[dict[str, tuple[str, str, dict[str, object] | None]]] = {
    "impersonate": ("POST", "/v1/admin/users/impersonate", {"user_id": "{user_id}", "reason": "ticket 8842"}),
    "rename": ("PATCH", "/v1/users/{user_id}", {"name": "B"}),
    "give an address": ("PATCH", "/v1/users/{user_id}", {"email": "new-{user_id}@example.com"}),
    "promote": ("PATCH", "/v1/users/{user_id}", {"role": "admin"}),
    "promote as the tenant's own": ("PATCH", "/v1/users/{user_id}", {"role": "officer"}),
    "demote": ("PATCH", "/v1/users/{user_id}", {"role": "member"}),
    "disable": ("POST", "/v1/users/{user_id}/disable", None),
    "enable": ("POST", "/v1/users/{user_id}/enable", None),
    "ban": ("POST", "/v1/users/{user_id}/ban", {"reason": "spam"}),
    "unban": ("POST", "/v1/users/{user_id}/unban", None),
    "unlock": ("POST", "/v1/users/{user_id}/unlock", None),
    "delete": ("DELETE", "/v1/users/{user_id}", None),
    "erase": ("DELETE", "/v1/users/{user_id}?permanent=true", None),
    "restore": ("POST", "/v1/users/{user_id}/restore", None),
    "set a password": ("PUT", "/v1/users/{user_id}/password", {"password_hash": "{hash}"}),
    "force a reset": ("POST", "/v1/users/{user_id}/password-reset", {}),
    "resend the verification": ("POST", "/v1/users/{user_id}/resend-verification", None),
    "resend the invitation": ("POST", "/v1/users/{user_id}/resend-invitation", None),
    "begin a factor": ("POST", "/v1/users/{user_id}/mfa/factors", {"type": "totp"}),
    "confirm a factor": ("POST", "/v1/users/{user_id}/mfa/factors/{factor_id}/confirm", {"code": "123456"}),
    "remove a factor": ("DELETE", "/v1/users/{user_id}/mfa/factors/{factor_id}", None),
    "make backup codes": ("POST", "/v1/users/{user_id}/mfa/backup-codes/generate", None),
    "end every session": ("DELETE", "/v1/users/{user_id}/sessions", None),
    "end a session": ("DELETE", "/v1/sessions/{session_id}", None),
}
"""The call of each table. In its path and body stand the ids of whom it is about."""


def cells_of(call: str) -> dict[str, dict[str, tuple[int, str]]]:
    """Return the answer that each caller must get about each user."""
    found: dict[str, dict[str, tuple[int, str]]] = {}
    for table in (SHUT_OUT, TABLES[call]):
        head, *rows = (line.split() for line in table.strip().splitlines())
        for who, *cells in rows:
            found[who] = {about: ANSWERS[cell] for about, cell in zip(head, cells, strict=True)}
    assert found.keys() == WHO.keys()
    return found
