// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

/** What `navigator.credentials.get` is given to sign in, and what its answer is sent with, until when. */
export interface PasskeySignIn {
  challenge_id: string;
  public_key: Record<string, unknown>;
  /** RFC 3339 in UTC, with milliseconds */
  expires_at: string;
}
