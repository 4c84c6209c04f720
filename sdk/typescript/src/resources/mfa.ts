// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

import type { CallOptions } from "../options.js";
import type {
  BeginUserFactorParams,
  ConfirmUserFactorParams,
  GenerateUserBackupCodesParams,
  RemoveUserFactorParams,
} from "../params/index.js";
import { Resource } from "../resource.js";
import { given, path } from "../transport.js";
import type { BackupCodes, ConfirmedFactor, Enrollment, FactorList } from "../types/index.js";

/** `hj.mfa` */
export class Mfa extends Resource {
  /**
   * Confirm a second factor of a user with the code that it shows.
   *
   * With the first one come ten backup codes, shown once.
   *
   * Needs the scope `users:credentials`. In some cases also `admins:manage`.
   */
  confirm(
    userId: string,
    factorId: string,
    params: ConfirmUserFactorParams,
    options?: CallOptions,
  ): Promise<ConfirmedFactor> {
    return this.transport.json(
      { method: "POST", path: path`/v1/users/${userId}/mfa/factors/${factorId}/confirm`, body: params, keyed: true },
      options,
    );
  }

  /**
   * Begin a second factor for a user.
   *
   * The answer has what the user's authenticator app needs. It protects nothing until it is confirmed.
   *
   * Needs the scope `users:credentials`. In some cases also `admins:manage`.
   */
  enroll(userId: string, params: BeginUserFactorParams, options?: CallOptions): Promise<Enrollment> {
    return this.transport.json(
      { method: "POST", path: path`/v1/users/${userId}/mfa/factors`, body: params, keyed: true },
      options,
    );
  }

  /**
   * Make ten new backup codes for a user, shown once.
   *
   * Those from before are good no more.
   *
   * Needs the scope `users:credentials`. In some cases also `admins:manage`.
   */
  generateBackupCodes(
    userId: string,
    params: GenerateUserBackupCodesParams = {},
    options?: CallOptions,
  ): Promise<BackupCodes> {
    return this.transport.json(
      { method: "POST", path: path`/v1/users/${userId}/mfa/backup-codes/generate`, body: given(params), keyed: true },
      options,
    );
  }

  /**
   * List a user's second factors, the oldest first.
   *
   * Needs the scope `mfa:read`.
   */
  list(userId: string, options?: CallOptions): Promise<FactorList> {
    return this.transport.json({ method: "GET", path: path`/v1/users/${userId}/mfa/factors` }, options);
  }

  /**
   * Remove a second factor of a user who has lost it.
   *
   * With the last one the backup codes go as well, and sign-in asks for the password alone.
   *
   * Needs the scope `mfa:write`. In some cases also `admins:manage`.
   */
  remove(userId: string, factorId: string, params: RemoveUserFactorParams = {}, options?: CallOptions): Promise<void> {
    return this.transport.nothing(
      { method: "DELETE", path: path`/v1/users/${userId}/mfa/factors/${factorId}`, body: given(params), keyed: true },
      options,
    );
  }
}
