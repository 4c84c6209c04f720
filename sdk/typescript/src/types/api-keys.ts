// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

import type { KeyStatus, KeyType } from "./shared.js";

/**
 * A key. `hint` is its prefix and its last four characters; `scopes` is empty for a publishable key.
 *
 * `allowed_ips` are the addresses and networks that it may be used from; empty: any. `last_used_at` is when it last
 * said who calls, give or take a minute. `replaced_by` is the key that a rotation made in its place.
 */
export interface ApiKey {
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
}
