// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

/** An organization. */
export interface Organization {
  id: string;
  name: string;
  slug: string;
  metadata: Record<string, unknown>;
  /** RFC 3339 in UTC, with milliseconds */
  created_at: string;
  /** RFC 3339 in UTC, with milliseconds */
  updated_at: string;
  version: number;
}
