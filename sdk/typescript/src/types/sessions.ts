// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

import type { AccessStopped, ErrorCode, OwnUser, Session, SessionImpersonation, SessionStatus } from "./shared.js";

/** A session after it was ended; with `access_stopped` when it was this call that ended it. */
export interface RevokedSession {
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
  access_stopped?: AccessStopped;
}

/**
 * Whether an access token is good at this moment. `reason` is there when it is not, the others when it is.
 *
 * `user` is what the user sees: a key that may read sessions only is shown nothing that is for users:read.
 * `permissions` are those of the user's role.
 */
export interface VerifiedToken {
  valid: boolean;
  reason?: ErrorCode;
  user?: OwnUser;
  permissions?: string[];
  session?: Session;
}
