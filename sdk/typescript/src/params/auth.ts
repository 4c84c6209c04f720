// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

/** What `hj.auth.acceptInvitation` is given. */
export interface AcceptInvitationParams {
  /** the secret of the link, act_... */
  token: string;
  /** 8 characters or more, at most 1024 bytes */
  password: string;
}

/** What `hj.auth.mfaPasskeyOptions` is given. */
export interface GetPasskeyOptionsParams {
  challenge_id: string;
}

/** What `hj.auth.refresh` is given. */
export interface RefreshTokensParams {
  /** the refresh token, rft_... */
  refresh_token: string;
  /** an organization of the user's */
  organization_id?: string | null;
}

/** What `hj.auth.signIn` is given. */
export interface SignInParams {
  /** the e-mail address; case does not matter */
  email: string;
  /** the password */
  password: string;
}

/** What `hj.auth.signUp` is given. */
export interface SignUpParams {
  /** an e-mail address; unique in the tenant, compared without case */
  email: string;
  /** 8 characters or more, at most 1024 bytes */
  password: string;
  /** a name of 1 to 200 characters */
  name?: string | null;
  /** 1 to 64 letters, digits and . _ - with a letter or digit first; unique without case */
  username?: string | null;
  /** a phone number in E.164 form, such as +14155552671 */
  phone?: string | null;
  /** an http or https URL */
  avatar_url?: string | null;
}

/** What `hj.auth.verifyEmail` is given. */
export interface VerifyEmailParams {
  /** the secret of the link, act_... */
  token: string;
}

/** What `hj.auth.verifyMfa` is given. */
export interface VerifyMfaParams {
  challenge_id: string;
  /** a code of an authenticator app, or a backup code */
  code?: string | null;
  credential?: Record<string, unknown> | null;
  factor_id?: string | null;
}
