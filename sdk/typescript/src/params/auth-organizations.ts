// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

/** What `hj.auth.organizations.join` is given. */
export interface JoinOrganizationParams {
  /** the secret of the link, act_... */
  token: string;
}

/** What `hj.auth.organizations.list` is given. */
export interface ListOwnOrganizationsParams {
  /** Rows per page */
  limit?: number;
  /** next_cursor of the page before */
  cursor?: string;
}

/** What `hj.auth.organizations.signUp` is given. */
export interface SignUpInvitedParams {
  /** the secret of the link, act_... */
  token: string;
  /** 8 characters or more, at most 1024 bytes */
  password: string;
  /** a name of 1 to 200 characters */
  name?: string | null;
  /** 1 to 64 letters, digits and . _ - with a letter or digit first; unique without case */
  username?: string | null;
}
