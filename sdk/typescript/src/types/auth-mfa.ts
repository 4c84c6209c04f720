// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

/** What one of the user's passkeys answered to the options of /v1/auth/passkeys/options. */
export interface PasskeyProof {
  /** the challenge_id of the options */
  challenge_id: string;
  credential: Record<string, unknown>;
}
