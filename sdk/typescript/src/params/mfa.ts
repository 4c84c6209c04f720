// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

import type { EnrollableType } from "../types/index.js";

/** What `hj.mfa.enroll` is given. */
export interface BeginUserFactorParams {
  type: EnrollableType;
  /** how the user tells it from others */
  name?: string | null;
  /** why, for the audit log; at most 500 characters */
  reason?: string | null;
}

/** What `hj.mfa.confirm` is given. */
export interface ConfirmUserFactorParams {
  /** a code of an authenticator app, or a backup code */
  code: string;
}

/** What `hj.mfa.generateBackupCodes` is given. */
export interface GenerateUserBackupCodesParams {
  /** why, for the audit log; at most 500 characters */
  reason?: string | null;
}

/** What `hj.mfa.remove` is given. */
export interface RemoveUserFactorParams {
  /** why, for the audit log; at most 500 characters */
  reason?: string | null;
}
