// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

/** What `hj.organizations.invitations.create` is given. */
export interface CreateInvitationParams {
  /** an e-mail address; unique in the tenant, compared without case */
  email: string;
  /** owner, admin, member, or a role with scope organization */
  role?: string;
  /** why, for the audit log; at most 500 characters */
  reason?: string | null;
}

/** What `hj.organizations.invitations.list` is given. */
export interface ListInvitationsParams {
  /** Rows per page */
  limit?: number;
  /** next_cursor of the page before */
  cursor?: string;
}

/** What `hj.organizations.invitations.resend` is given. */
export interface ResendOrganizationInvitationParams {
  /** why, for the audit log; at most 500 characters */
  reason?: string | null;
}

/** What `hj.organizations.invitations.revoke` is given. */
export interface RevokeInvitationParams {
  /** why, for the audit log; at most 500 characters */
  reason?: string | null;
}
