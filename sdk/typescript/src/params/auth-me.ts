// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

/** What `hj.auth.me.changeEmail` is given. */
export interface ChangeEmailParams {
  /** an e-mail address; unique in the tenant, compared without case */
  email: string;
  /** the password */
  current_password: string;
}

/** What `hj.auth.me.update` is given. */
export interface UpdateMeParams {
  /** a name of 1 to 200 characters */
  name?: string | null;
  /** 1 to 64 letters, digits and . _ - with a letter or digit first; unique without case */
  username?: string | null;
  /** a phone number in E.164 form, such as +14155552671 */
  phone?: string | null;
  /** an http or https URL */
  avatar_url?: string | null;
}
