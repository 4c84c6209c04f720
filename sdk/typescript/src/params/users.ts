// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

import type {
  Direction,
  ExportFormat,
  SearchFilters,
  SearchSort,
  SessionStatus,
  SortField,
  UserStatus,
} from "../types/index.js";

/** What `hj.users.ban` is given. */
export interface BanUserParams {
  /** why, for the audit log; at most 500 characters */
  reason?: string | null;
  /** a whole number and a unit: s m h d w y (365 days), as in 1h */
  expires_in?: string | null;
  /** RFC 3339 with an offset or Z */
  expires_at?: string | null;
}

/** What `hj.users.bulkBan` is given. */
export interface BulkBanUsersParams {
  /** 1 to 1000 ids; repeated ones count once */
  user_ids: string[];
  /** why, for the audit log; at most 500 characters */
  reason?: string | null;
  /** a whole number and a unit: s m h d w y (365 days), as in 1h */
  expires_in?: string | null;
  /** RFC 3339 with an offset or Z */
  expires_at?: string | null;
}

/** What `hj.users.bulkDelete` is given. */
export interface BulkDeleteUsersParams {
  /** 1 to 1000 ids; repeated ones count once */
  user_ids: string[];
  /** why, for the audit log; at most 500 characters */
  reason?: string | null;
}

/** What `hj.users.bulkDisable` is given. */
export interface BulkDisableUsersParams {
  /** 1 to 1000 ids; repeated ones count once */
  user_ids: string[];
  revoke_sessions?: boolean;
  /** why, for the audit log; at most 500 characters */
  reason?: string | null;
}

/** What `hj.users.bulkEnable` is given. */
export interface BulkEnableUsersParams {
  /** 1 to 1000 ids; repeated ones count once */
  user_ids: string[];
  /** why, for the audit log; at most 500 characters */
  reason?: string | null;
}

/** What `hj.users.bulkPasswordReset` is given. */
export interface BulkForcePasswordResetParams {
  /** 1 to 1000 ids; repeated ones count once */
  user_ids: string[];
  revoke_sessions?: boolean;
  require?: boolean;
  /** why, for the audit log; at most 500 characters */
  reason?: string | null;
}

/** What `hj.users.bulkRestore` is given. */
export interface BulkRestoreUsersParams {
  /** 1 to 1000 ids; repeated ones count once */
  user_ids: string[];
  /** why, for the audit log; at most 500 characters */
  reason?: string | null;
}

/** What `hj.users.bulkRevokeSessions` is given. */
export interface BulkRevokeSessionsParams {
  /** 1 to 1000 ids; repeated ones count once */
  user_ids: string[];
  /** why, for the audit log; at most 500 characters */
  reason?: string | null;
}

/** What `hj.users.bulkUnban` is given. */
export interface BulkUnbanUsersParams {
  /** 1 to 1000 ids; repeated ones count once */
  user_ids: string[];
  /** why, for the audit log; at most 500 characters */
  reason?: string | null;
}

/** What `hj.users.create` is given. */
export interface CreateUserParams {
  /** an e-mail address; unique in the tenant, compared without case */
  email: string;
  /** 8 characters or more, at most 1024 bytes */
  password?: string | null;
  /** a hash that another system made: argon2, bcrypt, scrypt or PBKDF2 */
  password_hash?: string | null;
  /** a name of 1 to 200 characters */
  name?: string | null;
  /** 1 to 64 letters, digits and . _ - with a letter or digit first; unique without case */
  username?: string | null;
  /** a phone number in E.164 form, such as +14155552671 */
  phone?: string | null;
  phone_verified?: boolean;
  /** an http or https URL */
  avatar_url?: string | null;
  /** your own id of the user; unique in the tenant */
  external_id?: string | null;
  /** the name of a role */
  role?: string;
  email_verified?: boolean;
  /** an object of at most 16 KiB as JSON */
  public_metadata?: Record<string, unknown>;
  /** an object of at most 16 KiB as JSON */
  private_metadata?: Record<string, unknown>;
  send_invitation?: boolean;
}

/** What `hj.users.delete` is given. */
export interface DeleteUserParams {
  /** why, for the audit log; at most 500 characters */
  reason?: string | null;
  permanent?: boolean;
}

/** What `hj.users.disable` is given. */
export interface DisableUserParams {
  /** why, for the audit log; at most 500 characters */
  reason?: string | null;
  revoke_sessions?: boolean;
}

/** What `hj.users.enable` is given. */
export interface EnableUserParams {
  /** why, for the audit log; at most 500 characters */
  reason?: string | null;
}

/** What `hj.users.exportAll` is given. */
export interface ExportUsersParams {
  format?: ExportFormat;
  /**
   * Words that must all occur in name, e-mail, username, phone or id, without regard to case and accents: one of three
   * characters and more anywhere, a shorter one at the start of a word
   */
  query?: string;
  /** The whole address; case does not matter */
  email?: string;
  /** Your own id of the user */
  external_id?: string;
  status?: UserStatus;
  /** The name of the user's role */
  role?: string;
  disabled?: boolean;
  mfa_enrolled?: boolean;
  email_verified?: boolean;
  /** The id of an organization the user is a member of */
  organization_id?: string;
  /** Strictly later than this time */
  created_after?: string;
  /** Strictly earlier than this time */
  created_before?: string;
  /** Strictly later than this time */
  last_active_after?: string;
  /** Strictly earlier than this time */
  last_active_before?: string;
}

/** What `hj.users.passwordReset` is given. */
export interface ForcePasswordResetParams {
  revoke_sessions?: boolean;
  require?: boolean;
  /** why, for the audit log; at most 500 characters */
  reason?: string | null;
}

/** What `hj.users.organizations` is given. */
export interface ListUserOrganizationsParams {
  /** Rows per page */
  limit?: number;
  /** next_cursor of the page before */
  cursor?: string;
}

/** What `hj.users.sessions` is given. */
export interface ListUserSessionsParams {
  /** Rows per page */
  limit?: number;
  /** next_cursor of the page before */
  cursor?: string;
  status?: SessionStatus;
  impersonated?: boolean;
}

/** What `hj.users.list` is given. */
export interface ListUsersParams {
  /** Rows per page */
  limit?: number;
  /** next_cursor of the page before */
  cursor?: string;
  order_by?: SortField;
  direction?: Direction;
  /** The whole address; case does not matter */
  email?: string;
  /** Your own id of the user */
  external_id?: string;
  status?: UserStatus;
  /** The name of the user's role */
  role?: string;
  disabled?: boolean;
  mfa_enrolled?: boolean;
  email_verified?: boolean;
  /** The id of an organization the user is a member of */
  organization_id?: string;
  /** Strictly later than this time */
  created_after?: string;
  /** Strictly earlier than this time */
  created_before?: string;
}

/** What `hj.users.resendInvitation` is given. */
export interface ResendInvitationParams {
  /** why, for the audit log; at most 500 characters */
  reason?: string | null;
}

/** What `hj.users.resendVerification` is given. */
export interface ResendVerificationParams {
  /** why, for the audit log; at most 500 characters */
  reason?: string | null;
}

/** What `hj.users.restore` is given. */
export interface RestoreUserParams {
  /** why, for the audit log; at most 500 characters */
  reason?: string | null;
}

/** What `hj.users.search` is given. */
export interface SearchUsersParams {
  /**
   * Words that must all occur in name, e-mail, username, phone or id, without regard to case and accents: one of three
   * characters and more anywhere, a shorter one at the start of a word
   */
  query?: string | null;
  filters?: SearchFilters;
  sort?: SearchSort;
  /** Rows per page */
  limit?: number;
  /** next_cursor of the page before */
  cursor?: string | null;
}

/** What `hj.users.setPassword` is given. */
export interface SetUserPasswordParams {
  /** 8 characters or more, at most 1024 bytes */
  password?: string | null;
  /** a hash that another system made: argon2, bcrypt, scrypt or PBKDF2 */
  password_hash?: string | null;
  revoke_sessions?: boolean;
  /** why, for the audit log; at most 500 characters */
  reason?: string | null;
}

/** What `hj.users.unban` is given. */
export interface UnbanUserParams {
  /** why, for the audit log; at most 500 characters */
  reason?: string | null;
}

/** What `hj.users.unlock` is given. */
export interface UnlockUserParams {
  /** why, for the audit log; at most 500 characters */
  reason?: string | null;
}

/** What `hj.users.update` is given. */
export interface UpdateUserParams {
  /** an e-mail address; unique in the tenant, compared without case */
  email?: string;
  email_verified?: boolean;
  /** a name of 1 to 200 characters */
  name?: string | null;
  /** 1 to 64 letters, digits and . _ - with a letter or digit first; unique without case */
  username?: string | null;
  /** a phone number in E.164 form, such as +14155552671 */
  phone?: string | null;
  phone_verified?: boolean;
  /** an http or https URL */
  avatar_url?: string | null;
  /** your own id of the user; unique in the tenant */
  external_id?: string | null;
  /** the name of a role */
  role?: string;
  /** an object of at most 16 KiB as JSON */
  public_metadata?: Record<string, unknown>;
  /** an object of at most 16 KiB as JSON */
  private_metadata?: Record<string, unknown>;
  disabled?: boolean;
  revoke_sessions?: boolean;
  /** why, for the audit log; at most 500 characters */
  reason?: string | null;
}
