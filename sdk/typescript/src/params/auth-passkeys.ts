// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

/** What `hj.auth.passkeys.verify` is given. */
export interface SignInWithPasskeyParams {
  /** the challenge_id of the options */
  challenge_id: string;
  credential: Record<string, unknown>;
}
