// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

/** What `hj.revocations.list` is given. */
export interface ListRevocationsParams {
  /** next_cursor of the answer before */
  since?: string;
  /** Entries per answer */
  limit?: number;
}
