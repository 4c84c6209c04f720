// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

/** A member of an organization. */
export interface Member {
  user_id: string;
  email: string;
  name: string | null;
  role: string;
  /** RFC 3339 in UTC, with milliseconds */
  joined_at: string;
}
