"""An invitation as it is stored, as it is shown, and as it is asked for and accepted."""

from typing import Final

import msgspec

from hellojohn_server.features.action_tokens.schemas import LinkToken
from hellojohn_server.features.organizations.schemas import MemberRole
from hellojohn_server.features.roles.schemas import OrganizationRole
from hellojohn_server.features.users.schemas import Email, Name, Password, Reason, Username
from hellojohn_server.kit.pagination import Cursor, Limit, Pagination
from hellojohn_server.kit.times import Timestamp, format_time

MAX_INVITATIONS: Final = 100
"""The most open invitations that an organization has."""


class Invitation(msgspec.Struct, frozen=True):
    """A row of organization_invitations, without the hash of its secret. Times in milliseconds."""

    id: str
    organization_id: str
    email: str
    email_key: str
    role: str
    invited_by: str
    created_at: int
    sent_at: int
    expires_at: int


class InvitationBody(msgspec.Struct, frozen=True, kw_only=True):
    """An open invitation. `invited_by` is the id of the credential; `sent_at` when it was mailed last."""

    id: str
    organization_id: str
    email: str
    role: str
    invited_by: str
    created_at: Timestamp
    sent_at: Timestamp
    expires_at: Timestamp


class InvitationListBody(msgspec.Struct, frozen=True):
    """Open invitations, the oldest first."""

    data: list[InvitationBody]
    pagination: Pagination


class ListInvitationsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which page of them."""

    limit: Limit = 20
    cursor: Cursor | None = None


class CreateInvitationBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who is invited, and as what."""

    email: Email
    role: MemberRole = OrganizationRole.MEMBER.value
    reason: Reason | None = None


class InvitationReasonBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Why."""

    reason: Reason | None = None


class AcceptInvitationBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The secret of the link, from somebody who is signed in."""

    token: LinkToken


class SignUpInvitedBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The secret of the link, from somebody who has no account yet. The address is the one it was mailed to."""

    token: LinkToken
    password: Password
    name: Name | None = None
    username: Username | None = None


def invitation_body(invitation: Invitation) -> InvitationBody:
    """Return what is shown of an invitation."""
    return InvitationBody(
        id=invitation.id,
        organization_id=invitation.organization_id,
        email=invitation.email,
        role=invitation.role,
        invited_by=invitation.invited_by,
        created_at=format_time(invitation.created_at),
        sent_at=format_time(invitation.sent_at),
        expires_at=format_time(invitation.expires_at),
    )
