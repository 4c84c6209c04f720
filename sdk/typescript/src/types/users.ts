// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

import type {
  AccessStopped,
  AuditEntry,
  Belonging,
  Email,
  ErrorCode,
  Factor,
  Invitation,
  Session,
  UserStatus,
} from "./shared.js";

/** Whether a user can sign in at this moment, and everything that prevents it, the strongest first. */
export interface Access {
  can_sign_in: boolean;
  reasons: AccessReason[];
}

/** One thing that keeps a user from signing in. `until` null: until somebody ends it. `by`: whose act it was. */
export interface AccessReason {
  code: AccessReasonCode;
  /** RFC 3339 in UTC, with milliseconds */
  since?: string | null;
  /** RFC 3339 in UTC, with milliseconds */
  until?: string | null;
  by?: string | null;
  reason?: string | null;
}

/** Why a user cannot sign in. docs/users.md says what ends each. */
export type AccessReasonCode = "banned" | "deleted" | "disabled" | "locked" | "password_reset_required" | "pending";

/** A ban that holds. `until` null: without end. `by` is the id of the credential that banned. */
export interface Ban {
  reason: string | null;
  /** RFC 3339 in UTC, with milliseconds */
  since: string;
  /** RFC 3339 in UTC, with milliseconds */
  until: string | null;
  by: string | null;
}

/** How many users were banned, or had their ban changed, and how many sessions ended. */
export interface BulkBanned {
  unchanged?: number;
  not_found?: string[];
  refused?: Refusal[];
  banned: number;
  sessions_revoked: number;
}

/** How many users were moved to the recycle bin, and how many sessions ended. */
export interface BulkDeleted {
  unchanged?: number;
  not_found?: string[];
  refused?: Refusal[];
  deleted: number;
  sessions_revoked: number;
}

/** How many users were disabled, and how many sessions ended. */
export interface BulkDisabled {
  unchanged?: number;
  not_found?: string[];
  refused?: Refusal[];
  disabled: number;
  sessions_revoked: number;
}

/** How many users were enabled. */
export interface BulkEnabled {
  unchanged?: number;
  not_found?: string[];
  refused?: Refusal[];
  enabled: number;
}

/** To how many users a link is on its way, and how many sessions ended. */
export interface BulkResetsForced {
  unchanged?: number;
  not_found?: string[];
  refused?: Refusal[];
  emails_queued: number;
  sessions_revoked: number;
}

/** How many users were restored. */
export interface BulkRestored {
  unchanged?: number;
  not_found?: string[];
  refused?: Refusal[];
  restored: number;
}

/** How many sessions ended. `unchanged` counts the users who had none. */
export interface BulkSessionsRevoked {
  unchanged?: number;
  not_found?: string[];
  refused?: Refusal[];
  sessions_revoked: number;
}

/** How many bans were lifted. */
export interface BulkUnbanned {
  unchanged?: number;
  not_found?: string[];
  refused?: Refusal[];
  unbanned: number;
}

/** A user after a change; with `access_stopped` when the change ended the user's access. */
export interface ChangedUser {
  id: string;
  email: string;
  email_verified: boolean;
  username: string | null;
  name: string | null;
  phone: string | null;
  phone_verified: boolean;
  avatar_url: string | null;
  external_id: string | null;
  role: string;
  status: UserStatus;
  disabled: boolean;
  disabled_reason: string | null;
  banned: boolean;
  ban: Ban | null;
  /** RFC 3339 in UTC, with milliseconds */
  locked_until: string | null;
  mfa_enrolled: boolean;
  password_reset_required: boolean;
  public_metadata: Record<string, unknown>;
  private_metadata: Record<string, unknown>;
  /** RFC 3339 in UTC, with milliseconds */
  created_at: string;
  /** RFC 3339 in UTC, with milliseconds */
  updated_at: string;
  /** RFC 3339 in UTC, with milliseconds */
  last_sign_in_at: string | null;
  /** RFC 3339 in UTC, with milliseconds */
  last_active_at: string | null;
  version: number;
  access_stopped?: AccessStopped;
}

/** Which end comes first. Users without the value come last in both. */
export type Direction = "asc" | "desc";

/** A link that was mailed, without its secret. `used_at` null: it was not used. */
export interface Link {
  id: string;
  purpose: string;
  /** RFC 3339 in UTC, with milliseconds */
  created_at: string;
  /** RFC 3339 in UTC, with milliseconds */
  expires_at: string;
  /** RFC 3339 in UTC, with milliseconds */
  used_at: string | null;
}

/** A link is on its way. */
export interface LinkQueued {
  email_queued: boolean;
}

/** A user who was left alone, and the code of the error that the act on this user alone would have had. */
export interface Refusal {
  id: string;
  code: ErrorCode;
}

/** A link is on its way, and so many sessions ended. */
export interface ResetForced {
  email_queued: boolean;
  sessions_revoked: number;
}

/** The order of a search. Without a direction: desc for times, asc for text. */
export interface SearchSort {
  field?: SortField;
  direction?: Direction | null;
}

/** What users can be sorted by. */
export type SortField = "created_at" | "email" | "last_sign_in_at" | "name";

/** A user. `banned`, `ban`, `locked_until` and `status` are judged by the clock at the moment of the answer. */
export interface User {
  id: string;
  email: string;
  email_verified: boolean;
  username: string | null;
  name: string | null;
  phone: string | null;
  phone_verified: boolean;
  avatar_url: string | null;
  external_id: string | null;
  role: string;
  status: UserStatus;
  disabled: boolean;
  disabled_reason: string | null;
  banned: boolean;
  ban: Ban | null;
  /** RFC 3339 in UTC, with milliseconds */
  locked_until: string | null;
  mfa_enrolled: boolean;
  password_reset_required: boolean;
  public_metadata: Record<string, unknown>;
  private_metadata: Record<string, unknown>;
  /** RFC 3339 in UTC, with milliseconds */
  created_at: string;
  /** RFC 3339 in UTC, with milliseconds */
  updated_at: string;
  /** RFC 3339 in UTC, with milliseconds */
  last_sign_in_at: string | null;
  /** RFC 3339 in UTC, with milliseconds */
  last_active_at: string | null;
  version: number;
}

/**
 * Everything held about one person, but what could be signed in with: no password hash, secret, code or token.
 *
 * `access` is why the person cannot sign in, if so; `backup_codes` how many are left; `sessions` are all, also those
 * that have ended; `invitations` are those of the person's address into organizations, and `emails` those to the person
 * or to the person's address, without their text. `audit_logs` are the entries of what the person did, and of what was
 * done to or for the person.
 */
export interface UserExport {
  /** RFC 3339 in UTC, with milliseconds */
  exported_at: string;
  user: User;
  access: Access;
  has_password: boolean;
  backup_codes: number;
  factors: Factor[];
  links: Link[];
  invitations: Invitation[];
  organizations: Belonging[];
  sessions: Session[];
  emails: Email[];
  audit_logs: AuditEntry[];
}
