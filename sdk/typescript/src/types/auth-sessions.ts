// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

/** A session as its user sees it. `current` is the one that asks. */
export interface OwnSession {
  id: string;
  current: boolean;
  ip_address: string | null;
  user_agent: string | null;
  /** RFC 3339 in UTC, with milliseconds */
  created_at: string;
  /** RFC 3339 in UTC, with milliseconds */
  last_refreshed_at: string | null;
  /** RFC 3339 in UTC, with milliseconds */
  expires_at: string;
}
