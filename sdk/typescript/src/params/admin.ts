// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

/** What `hj.admin.impersonate` is given. */
export interface ImpersonateUserParams {
  /** the id of a user */
  user_id: string;
  /** why, for the audit log; at most 500 characters */
  reason: string;
  /** a whole number and a unit: s m h d w y (365 days), as in 1h */
  expires_in?: string | null;
  read_only?: boolean;
}
