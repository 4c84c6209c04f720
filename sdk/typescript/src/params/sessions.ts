// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

import type { SessionStatus } from "../types/index.js";

/** What `hj.sessions.list` is given. */
export interface ListSessionsParams {
  /** Rows per page */
  limit?: number;
  /** next_cursor of the page before */
  cursor?: string;
  user_id?: string;
  status?: SessionStatus;
  impersonated?: boolean;
}

/** What `hj.sessions.revokeEvery` is given. */
export interface RevokeEverySessionParams {
  /** why, for the audit log; at most 500 characters */
  reason?: string | null;
  confirm?: string;
}

/** What `hj.sessions.revoke` is given. */
export interface RevokeSessionParams {
  /** why, for the audit log; at most 500 characters */
  reason?: string | null;
}

/** What `hj.sessions.revokeAll` is given. */
export interface RevokeUserSessionsParams {
  /** why, for the audit log; at most 500 characters */
  reason?: string | null;
}

/** What `hj.sessions.verify` is given. */
export interface VerifyTokenParams {
  /** an access token */
  token: string;
}
