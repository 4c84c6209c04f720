// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

import type { OwnUser } from "./shared.js";

/** The request was taken. It says nothing of whether anybody has the address. */
export interface Accepted {
  accepted?: true;
}

/** What `navigator.credentials.get` is given, as PublicKeyCredential.parseRequestOptionsFromJSON reads it. */
export interface RequestOptions {
  public_key: Record<string, unknown>;
}

/** A user who is signed in, and the session. */
export interface SignedIn {
  user: OwnUser;
  session: Tokens;
}

/**
 * A session's tokens. The refresh token is good once, and gives the next two.
 *
 * `organization_id` is there when the user is active in an organization.
 */
export interface Tokens {
  id: string;
  access_token: string;
  refresh_token: string;
  /** RFC 3339 in UTC, with milliseconds */
  access_token_expires_at: string;
  /** RFC 3339 in UTC, with milliseconds */
  refresh_token_expires_at: string;
  /** true when nothing is open but enrolling a second factor; else absent */
  mfa_enrollment_required?: boolean;
  organization_id?: string;
}
