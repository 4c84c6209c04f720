"""The rows of the audit walk for roles."""

from typing import Final

from tests.walk.rows import Entry, Row

ORGANIZATION_TABLE: Final[dict[str, Row]] = {
    "create_role": Row(
        201,
        [
            Entry(
                type="role.created",
                resource=("role", "made"),
                changes={
                    "name": (None, "officer"),
                    "scope": (None, "tenant"),
                    "permissions": (None, ["access:review"]),
                    "privileged": (None, True),
                },
            )
        ],
    ),
    "update_role": Row(
        200,
        [Entry(type="role.updated", resource=("role", "role"), changes={"description": (None, "Edits")})],
        before=1,
    ),
    "delete_role": Row(
        204,
        [
            Entry(
                type="role.deleted",
                resource=("role", "role"),
                changes={
                    "name": ("editor", None),
                    "scope": ("tenant", None),
                    "permissions": (["documents:read"], None),
                    "privileged": (False, None),
                },
            )
        ],
        before=1,
    ),
}
