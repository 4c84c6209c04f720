"""The rows of the audit walk for roles, organizations and their members."""

from typing import Any, Final

from tests.walk.rows import Entry, Row

INVITATION: Final = "<invitation>"
SESSION: Final = "<session>"


def _about(kind: str, name: str = "organization", **told: Any) -> Entry:
    return Entry(type=f"organization.{kind}", resource=("organization", name), organization=name, **told)


def _of_member(kind: str, role: tuple[str | None, str | None], reason: str | None, by: str = "secret") -> Entry:
    return Entry(
        type=f"organization.member_{kind}",
        resource=("user", "user"),
        organization="organization",
        changes={"role": role},
        reason=reason,
        by=by,
    )


def _of_invitation(kind: str, name: str, role: str, reason: str) -> Entry:
    return Entry(
        type=f"organization.invitation_{kind}",
        resource=("invitation", name),
        organization="organization",
        metadata={"role": role},
        reason=reason,
    )


ORGANIZATION_TABLE: Final[dict[str, Row]] = {
    "create_organization": Row(
        201,
        [
            _about(
                "created",
                "made",
                changes={"name": (None, "Acme"), "slug": (None, "acme"), "metadata.plan": (None, "pro")},
            )
        ],
    ),
    "update_organization": Row(
        200,
        [_about("updated", changes={"name": ("Acme", "Apex"), "metadata.plan": ("pro", None)})],
    ),
    "delete_organization": Row(
        204,
        [
            _about(
                "deleted",
                changes={"name": ("Acme", None), "slug": ("acme", None), "metadata.plan": ("pro", None)},
                metadata={"members": 1},
            )
        ],
    ),
    "add_member": Row(201, [_of_member("added", (None, "owner"), "founded it")]),
    "update_member": Row(200, [_of_member("updated", ("member", "admin"), "promoted")]),
    "remove_member": Row(204, [_of_member("removed", ("member", None), "left")]),
    "create_invitation": Row(201, [_of_invitation("created", "made", "admin", "hired")]),
    "resend_organization_invitation": Row(200, [_of_invitation("resent", "invitation", "member", "asked")]),
    "revoke_invitation": Row(204, [_of_invitation("revoked", "invitation", "member", "a mistake")]),
    "join_organization": Row(
        200,
        [
            Entry(
                type="organization.member_added",
                resource=("user", "caller"),
                organization="organization",
                changes={"role": (None, "member")},
                metadata={"invitation_id": INVITATION},
                by="caller",
            )
        ],
    ),
    "sign_up_invited": Row(
        201,
        [
            Entry(
                type="user.created",
                resource=("user", "made_user"),
                by="made_user",
                changes={"email": (None, "a@example.com"), "email_verified": (False, True), "role": (None, "member")},
                metadata={"password": "set"},
            ),
            Entry(
                type="organization.member_added",
                resource=("user", "made_user"),
                organization="organization",
                changes={"role": (None, "member")},
                metadata={"invitation_id": INVITATION},
                by="made_user",
            ),
            Entry(
                type="user.signed_in",
                resource=("user", "made_user"),
                by="made_user",
                metadata={"session_id": SESSION, "amr": ["pwd"]},
            ),
        ],
    ),
    "leave_organization": Row(204, [_of_member("removed", ("member", None), None, by="user")]),
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
    ),
}
