// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

/**
 * What an act on a user ended.
 *
 * `residual_seconds` is the longest time that a token already given out still passes a verifier which checks signatures
 * only; our own endpoints and followers of the revocation feed refuse it at once.
 */
export interface AccessStopped {
  sessions_revoked: number;
  residual_seconds: number;
}

/** Who an audit entry names. */
export type ActorType = "api_key" | "cli" | "master_key" | "operator" | "system" | "user";

/** Who acted: always the credential. `asserted` is what it said of the person behind it: shown, never trusted. */
export interface AuditActor {
  id: string;
  type: ActorType;
  name: string | null;
  asserted?: string;
}

/**
 * An audit entry. `changes` maps a field to its old and its new value.
 *
 * Once a person it names is erased, `personal_data_erased` is true and the values about that person are null.
 */
export interface AuditEntry {
  id: string;
  type: string;
  source: string;
  actor: AuditActor;
  on_behalf_of: AuditParty | null;
  resource: AuditResource | null;
  tenant_id: string;
  organization_id: string | null;
  ip_address: string | null;
  user_agent: string | null;
  request_id: string;
  result: AuditResult;
  reason: string | null;
  changes: Record<string, [unknown, unknown]> | null;
  impersonated: boolean;
  metadata: Record<string, unknown> | null;
  personal_data_erased: boolean;
  /** RFC 3339 in UTC, with milliseconds */
  created_at: string;
}

/** The user in whose place the actor acted. */
export interface AuditParty {
  id: string;
  type: ActorType;
}

/** What was acted on. */
export interface AuditResource {
  id: string | null;
  type: string | null;
}

/** How the act ended. */
export type AuditResult = "denied" | "failure" | "success";

/** Ten codes, each good once in the place of a second factor's. Shown once; those from before are good no more. */
export interface BackupCodes {
  backup_codes: string[];
}

/** An organization that a user is a member of, and as what. */
export interface Belonging {
  id: string;
  name: string;
  slug: string;
  role: string;
  /** RFC 3339 in UTC, with milliseconds */
  joined_at: string;
}

/** A second factor that is confirmed; with the first one, backup codes, shown once. */
export interface ConfirmedFactor {
  factor: Factor;
  backup_codes?: string[];
}

/** A mail, without its text. `last_error` is the class of the last failure with the mail server's code. */
export interface Email {
  id: string;
  template: EmailTemplate;
  to: string;
  user_id: string | null;
  status: EmailStatus;
  attempts: number;
  last_error: string | null;
  resendable: boolean;
  /** RFC 3339 in UTC, with milliseconds */
  created_at: string;
  /** RFC 3339 in UTC, with milliseconds */
  next_attempt_at: string | null;
  /** RFC 3339 in UTC, with milliseconds */
  sent_at: string | null;
}

/** Where a mail is. `failed`: tried in vain, and will be tried again. `dead`: given up. */
export type EmailStatus = "dead" | "failed" | "queued" | "sending" | "sent";

/** What a mail is about. */
export type EmailTemplate =
  | "email_already_registered"
  | "email_changed"
  | "email_verification"
  | "factor_added"
  | "factor_removed"
  | "impersonated"
  | "invitation"
  | "magic_link"
  | "organization_invitation"
  | "password_changed"
  | "password_reset"
  | "password_reset_forced";

/** A second factor that is yet to be confirmed, and what an authenticator app or the browser needs. Shown once. */
export interface Enrollment {
  id: string;
  type: FactorType;
  name: string | null;
  /** RFC 3339 in UTC, with milliseconds */
  created_at: string;
  /** until when it can be confirmed */
  expires_at: string;
  /** for typing, in base 32 */
  secret?: string;
  /** for an app on the same device */
  otpauth_uri?: string;
  /** the same as a picture: a data URI with an SVG */
  qr_code?: string;
  /** of a passkey: what navigator.credentials.create is given */
  public_key?: Record<string, unknown>;
}

/** The machine-readable name of a refusal. */
export type ErrorCode =
  | "account_banned"
  | "account_disabled"
  | "account_locked"
  | "address_not_allowed"
  | "already_member"
  | "api_key_expired"
  | "api_key_not_active"
  | "api_key_not_found"
  | "audit_log_not_found"
  | "credential_not_allowed"
  | "deadline_exceeded"
  | "email_already_exists"
  | "email_already_verified"
  | "email_banned"
  | "email_in_recycle_bin"
  | "email_not_found"
  | "email_not_resendable"
  | "external_id_already_exists"
  | "idempotency_key_reused"
  | "idempotency_not_supported"
  | "impersonation_disabled"
  | "impersonation_forbidden"
  | "import_file_differs"
  | "import_not_found"
  | "import_not_resumable"
  | "import_taken_over"
  | "insufficient_scope"
  | "internal_error"
  | "invalid_api_key"
  | "invalid_credentials"
  | "invalid_cursor"
  | "invalid_host"
  | "invalid_mfa_code"
  | "invalid_passkey"
  | "invalid_publishable_key"
  | "invalid_request"
  | "invalid_token"
  | "invitation_already_exists"
  | "invitation_elsewhere"
  | "invitation_limit_reached"
  | "invitation_not_found"
  | "invitation_page_missing"
  | "job_ended"
  | "job_not_ended"
  | "job_not_found"
  | "job_not_undoable"
  | "job_undone"
  | "last_owner"
  | "last_super_admin"
  | "link_expired"
  | "link_invalid"
  | "link_used"
  | "mail_not_configured"
  | "malformed_json"
  | "member_not_found"
  | "method_not_allowed"
  | "mfa_already_confirmed"
  | "mfa_challenge_invalid"
  | "mfa_enrollment_required"
  | "mfa_factor_limit"
  | "mfa_factor_not_found"
  | "mfa_required"
  | "missing_token"
  | "no_mfa_factor"
  | "not_found"
  | "not_ready"
  | "organization_not_found"
  | "origin_not_allowed"
  | "password_hashing_busy"
  | "password_reset_required"
  | "payload_too_large"
  | "plan_changed"
  | "plan_expired"
  | "plan_not_found"
  | "plan_not_ready"
  | "plan_used"
  | "query_timeout"
  | "rate_limited"
  | "reauthentication_required"
  | "refresh_token_expired"
  | "refresh_token_invalid"
  | "refresh_token_reused"
  | "request_timeout"
  | "role_already_exists"
  | "role_built_in"
  | "role_in_use"
  | "role_limit_reached"
  | "role_not_found"
  | "rotation_under_way"
  | "server_busy"
  | "session_expired"
  | "session_not_found"
  | "session_revoked"
  | "slug_already_exists"
  | "store_busy"
  | "store_unavailable"
  | "tenant_mismatch"
  | "tenant_not_found"
  | "tenant_suspended"
  | "token_expired"
  | "token_stale"
  | "too_many_headers"
  | "too_many_mfa_attempts"
  | "too_many_streams"
  | "unsupported_media_type"
  | "user_banned"
  | "user_deleted"
  | "user_disabled"
  | "user_not_found"
  | "user_not_pending"
  | "username_already_exists"
  | "validation_failed"
  | "version_mismatch"
  | "webauthn_not_configured";

/** What an export is written in. */
export type ExportFormat = "csv" | "ndjson";

/** A second factor. `confirmed_at` null: it waits to be confirmed, and protects nothing yet. */
export interface Factor {
  id: string;
  type: FactorType;
  name: string | null;
  /** RFC 3339 in UTC, with milliseconds */
  created_at: string;
  /** RFC 3339 in UTC, with milliseconds */
  confirmed_at: string | null;
  /** RFC 3339 in UTC, with milliseconds */
  last_used_at: string | null;
}

/** A user's second factors, the oldest first, and how many backup codes are left. */
export interface FactorList {
  data: Factor[];
  backup_codes_left: number;
  pagination: Pagination;
}

/** What a user proves a second time with. */
export type FactorType = "totp" | "webauthn";

/** The credential behind an impersonation, and what it said of the person behind itself: shown, never trusted. */
export interface Impersonator {
  id: string;
  type: ActorType;
  name: string | null;
  asserted: string | null;
}

/** An open invitation. `invited_by` is the id of the credential; `sent_at` when it was mailed last. */
export interface Invitation {
  id: string;
  organization_id: string;
  email: string;
  role: string;
  invited_by: string;
  /** RFC 3339 in UTC, with milliseconds */
  created_at: string;
  /** RFC 3339 in UTC, with milliseconds */
  sent_at: string;
  /** RFC 3339 in UTC, with milliseconds */
  expires_at: string;
}

/** Whether a key works, judged at the moment of the answer. */
export type KeyStatus = "active" | "expired" | "revoked";

/** What a key is for. */
export type KeyType = "master" | "publishable" | "secret";

/** A key just made. `key` is the key itself; it is shown here and never again. */
export interface MadeKey {
  id: string;
  type: KeyType;
  name: string;
  hint: string;
  scopes: string[];
  allowed_ips: string[];
  status: KeyStatus;
  /** RFC 3339 in UTC, with milliseconds */
  created_at: string;
  created_by: string;
  /** RFC 3339 in UTC, with milliseconds */
  expires_at: string | null;
  /** RFC 3339 in UTC, with milliseconds */
  revoked_at: string | null;
  revoked_reason: string | null;
  replaced_by: string | null;
  /** RFC 3339 in UTC, with milliseconds */
  last_used_at: string | null;
  key: string;
}

/** A user as the user sees it: nothing that only administrators are to read. */
export interface OwnUser {
  id: string;
  email: string;
  email_verified: boolean;
  username: string | null;
  name: string | null;
  phone: string | null;
  phone_verified: boolean;
  avatar_url: string | null;
  role: string;
  mfa_enrolled: boolean;
  public_metadata: Record<string, unknown>;
  /** RFC 3339 in UTC, with milliseconds */
  created_at: string;
  /** RFC 3339 in UTC, with milliseconds */
  updated_at: string;
  /** RFC 3339 in UTC, with milliseconds */
  last_sign_in_at: string | null;
  version: number;
}

/** What every list says of itself. `next_cursor` is null on the last page. */
export interface Pagination {
  total: number;
  total_is_exact: boolean;
  limit: number;
  has_more: boolean;
  next_cursor: string | null;
}

/** The filters of a search. One that is absent or null does not filter. */
export interface SearchFilters {
  mfa_enrolled?: boolean | null;
  disabled?: boolean | null;
  /** Strictly later than this time */
  created_after?: string | null;
  /** Strictly earlier than this time */
  created_before?: string | null;
  /** The id of an organization the user is a member of */
  organization_id?: string | null;
  /** The name of the user's role */
  role?: string | null;
  status?: UserStatus | null;
  email_verified?: boolean | null;
  /** Strictly later than this time */
  last_active_after?: string | null;
  /** Strictly earlier than this time */
  last_active_before?: string | null;
}

/** A session. `amr` is how the user proved who they are (RFC 8176); `impersonation` is null in the user's own. */
export interface Session {
  id: string;
  user_id: string;
  status: SessionStatus;
  amr: string[];
  ip_address: string | null;
  user_agent: string | null;
  /** RFC 3339 in UTC, with milliseconds */
  created_at: string;
  /** RFC 3339 in UTC, with milliseconds */
  last_refreshed_at: string | null;
  /** RFC 3339 in UTC, with milliseconds */
  expires_at: string;
  /** RFC 3339 in UTC, with milliseconds */
  revoked_at: string | null;
  revoked_reason: string | null;
  revoked_by: string | null;
  organization_id: string | null;
  impersonated: boolean;
  impersonation: SessionImpersonation | null;
}

/** Who acts in the user's place, and why. */
export interface SessionImpersonation {
  by: Impersonator;
  reason: string | null;
  read_only: boolean;
}

/** What a session is at a moment. An active one of a disabled user rests until the user is enabled. */
export type SessionStatus = "active" | "expired" | "revoked";

/** A type of key that a tenant has. Master keys are made on the host only. */
export type TenantKeyType = "publishable" | "secret";

/** What a user is, derived from independent facts; the strongest that holds wins, in this order. */
export type UserStatus = "active" | "banned" | "deleted" | "disabled" | "locked" | "pending";
