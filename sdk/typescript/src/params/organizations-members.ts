// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

/** What `hj.organizations.members.add` is given. */
export interface AddMemberParams {
  /** the id of a user */
  user_id: string;
  /** owner, admin, member, or a role with scope organization */
  role?: string;
  /** why, for the audit log; at most 500 characters */
  reason?: string | null;
}

/** What `hj.organizations.members.list` is given. */
export interface ListMembersParams {
  /** Rows per page */
  limit?: number;
  /** next_cursor of the page before */
  cursor?: string;
  /** owner, admin, member, or a role with scope organization */
  role?: string;
}

/** What `hj.organizations.members.remove` is given. */
export interface RemoveMemberParams {
  /** why, for the audit log; at most 500 characters */
  reason?: string | null;
}

/** What `hj.organizations.members.update` is given. */
export interface UpdateMemberParams {
  /** owner, admin, member, or a role with scope organization */
  role: string;
  /** why, for the audit log; at most 500 characters */
  reason?: string | null;
}
