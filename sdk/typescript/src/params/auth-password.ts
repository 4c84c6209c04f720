// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

/** What `hj.auth.password.change` is given. */
export interface ChangePasswordParams {
  /** the password */
  current_password: string;
  /** 8 characters or more, at most 1024 bytes */
  new_password: string;
}

/** What `hj.auth.password.forgot` is given. */
export interface ForgotPasswordParams {
  /** the e-mail address; case does not matter */
  email: string;
}

/** What `hj.auth.password.reset` is given. */
export interface ResetPasswordParams {
  /** the secret of the link, act_... */
  token: string;
  /** 8 characters or more, at most 1024 bytes */
  password: string;
}
