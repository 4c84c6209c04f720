// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

import type {
  CorsChange,
  ImpersonationChange,
  LockoutChange,
  MailChange,
  MfaChange,
  PasswordChange,
  SessionChange,
  TokenChange,
  UrlChange,
} from "../types/index.js";

/** What `hj.admin.config.update` is given. */
export interface UpdateConfigParams {
  impersonation?: ImpersonationChange | null;
  mail?: MailChange | null;
  lockout?: LockoutChange | null;
  password?: PasswordChange | null;
  sessions?: SessionChange | null;
  tokens?: TokenChange | null;
  urls?: UrlChange | null;
  cors?: CorsChange | null;
  mfa?: MfaChange | null;
}
