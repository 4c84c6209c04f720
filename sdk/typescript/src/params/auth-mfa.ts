// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

import type { FactorType, PasskeyProof } from "../types/index.js";

/** What `hj.auth.mfa.enroll` is given. */
export interface BeginOwnFactorParams {
  type: FactorType;
  /** how the user tells it from others */
  name?: string | null;
  /** the password */
  password?: string | null;
  /** a code of an authenticator app, or a backup code */
  code?: string | null;
  passkey?: PasskeyProof | null;
}

/** What `hj.auth.mfa.confirm` is given. */
export interface ConfirmOwnFactorParams {
  /** a code of an authenticator app, or a backup code */
  code?: string | null;
  credential?: Record<string, unknown> | null;
}

/** What `hj.auth.mfa.generateBackupCodes` is given. */
export interface GenerateOwnBackupCodesParams {
  /** the password */
  password?: string | null;
  /** a code of an authenticator app, or a backup code */
  code?: string | null;
  passkey?: PasskeyProof | null;
}

/** What `hj.auth.mfa.remove` is given. */
export interface RemoveOwnFactorParams {
  /** the password */
  password?: string | null;
  /** a code of an authenticator app, or a backup code */
  code?: string | null;
  passkey?: PasskeyProof | null;
}
