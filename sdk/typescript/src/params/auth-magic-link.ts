// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

/** What `hj.auth.magicLink.request` is given. */
export interface RequestMagicLinkParams {
  /** the e-mail address; case does not matter */
  email: string;
}

/** What `hj.auth.magicLink.verify` is given. */
export interface VerifyMagicLinkParams {
  /** the secret of the link, act_... */
  token: string;
}
