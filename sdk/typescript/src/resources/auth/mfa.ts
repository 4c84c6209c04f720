// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

import type { CallOptions } from "../../options.js";
import type {
  BeginOwnFactorParams,
  ConfirmOwnFactorParams,
  GenerateOwnBackupCodesParams,
  RemoveOwnFactorParams,
} from "../../params/index.js";
import { Resource } from "../../resource.js";
import { given, path } from "../../transport.js";
import type { BackupCodes, ConfirmedFactor, Enrollment, FactorList } from "../../types/index.js";

/** `hj.auth.mfa` */
export class AuthMfa extends Resource {
  /**
   * Confirm a second factor with the code that it shows, or the passkey that the browser made.
   *
   * With the first one come ten backup codes, shown once. Access tokens from before are stale: refresh.
   */
  confirm(factorId: string, params: ConfirmOwnFactorParams = {}, options?: CallOptions): Promise<ConfirmedFactor> {
    return this.transport.json(
      { method: "POST", path: path`/v1/auth/mfa/factors/${factorId}/confirm`, body: given(params), by: "accessToken" },
      options,
    );
  }

  /**
   * Begin a second factor.
   *
   * The answer has what an authenticator app needs, shown once. It protects nothing until it is confirmed. Who has a
   * second factor already sends the password, a code or a passkey with it.
   */
  enroll(params: BeginOwnFactorParams, options?: CallOptions): Promise<Enrollment> {
    return this.transport.json(
      { method: "POST", path: "/v1/auth/mfa/factors", body: params, by: "accessToken" },
      options,
    );
  }

  /**
   * Make ten new backup codes, shown once.
   *
   * Needs the password or a code. Those from before are good no more.
   */
  generateBackupCodes(params: GenerateOwnBackupCodesParams = {}, options?: CallOptions): Promise<BackupCodes> {
    return this.transport.json(
      { method: "POST", path: "/v1/auth/mfa/backup-codes/generate", body: given(params), by: "accessToken" },
      options,
    );
  }

  /** List one's own second factors, the oldest first. */
  list(options?: CallOptions): Promise<FactorList> {
    return this.transport.json({ method: "GET", path: "/v1/auth/mfa/factors", by: "accessToken" }, options);
  }

  /**
   * Remove a second factor.
   *
   * Needs the password, a code or a passkey. With the last one the backup codes go as well. Access tokens from before
   * are stale.
   */
  remove(factorId: string, params: RemoveOwnFactorParams = {}, options?: CallOptions): Promise<void> {
    return this.transport.nothing(
      { method: "DELETE", path: path`/v1/auth/mfa/factors/${factorId}`, body: given(params), by: "accessToken" },
      options,
    );
  }
}
