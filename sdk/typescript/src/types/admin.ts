// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

/** What can be done to many users. */
export type Action =
  | "ban"
  | "delete"
  | "disable"
  | "enable"
  | "password_reset"
  | "restore"
  | "revoke_sessions"
  | "set_metadata"
  | "set_role"
  | "unban";

/** An impersonation that has begun. */
export interface Impersonation {
  access_token: string;
  session_id: string;
  impersonated_user_id: string;
  /** RFC 3339 in UTC, in whole seconds */
  expires_at: string;
}

/** How many users have a second factor. */
export interface MfaStats {
  enrolled: number;
}

/** Organizations; from 10,000 on that is the number, and `total_is_exact` false. */
export interface OrganizationStats {
  total: number;
  total_is_exact: boolean;
}

/** How it is done. `reason` goes with every action, each of the others with those that it is described for. */
export interface Parameters {
  /** why, for the audit log; at most 500 characters */
  reason?: string | null;
  /** disable (default true), password_reset (default false): end sessions */
  revoke_sessions?: boolean | null;
  /** password_reset (default true): the old password is good no more */
  require?: boolean | null;
  /** ban: how long, from when the job starts */
  expires_in?: string | null;
  /** ban: until when */
  expires_at?: string | null;
  /** set_role: the new role */
  role?: string | null;
  /** set_metadata: merged with what is there */
  public_metadata?: Record<string, unknown> | null;
  /** set_metadata: merged with what is there */
  private_metadata?: Record<string, unknown> | null;
}

/** Active sessions; from 10,000 on that is the number, and `active_is_exact` false. */
export interface SessionStats {
  active: number;
  active_is_exact: boolean;
}

/** Sign-ins, sign-ups included, and those that were refused, also for addresses that nobody has. */
export interface SignInStats {
  succeeded: WindowStats;
  failed: WindowStats;
}

/** A tenant's figures. */
export interface Stats {
  /** RFC 3339 in UTC, with milliseconds */
  as_of: string;
  users: UserStats;
  mfa: MfaStats;
  sessions: SessionStats;
  organizations: OrganizationStats;
  sign_ins: SignInStats;
}

/**
 * Users who are not in the recycle bin. `by_role` leaves out roles that nobody has.
 *
 * `new` are those who were made in the days, `active` those who were last active in them.
 */
export interface UserStats {
  total: number;
  disabled: number;
  email_verified: number;
  by_role: Record<string, number>;
  new: WindowStats;
  active: WindowStats;
}

/** A number over the last days in UTC, today and what it has had so far included. */
export interface WindowStats {
  last_7_days: number;
  last_30_days: number;
}
