// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

/**
 * What is refused. After `forget_at` no such token can be valid.
 *
 * With session `revoked_at` may be yet to come: its tokens are good until then.
 */
export interface Revocation {
  type: RevocationType;
  /** session: its tokens */
  session_id?: string;
  /** user: the tokens with a gen below gen_below */
  user_id?: string;
  gen_below?: number;
  /** signing_key: the tokens signed with it */
  kid?: string;
  /** tenant: its tokens issued by revoked_at */
  tenant_id?: string;
  /** RFC 3339 in UTC, with milliseconds */
  revoked_at: string;
  /** RFC 3339 in UTC, with milliseconds */
  forget_at: string;
}

/** Some of the feed. `next_cursor` is always there: what is revoked from now on comes after it. */
export interface RevocationList {
  data: Revocation[];
  has_more: boolean;
  next_cursor: string;
}

/** What a verifier refuses: the tokens of a session, those signed with a key, a tenant's, a user's older ones. */
export type RevocationType = "session" | "signing_key" | "tenant" | "user";
