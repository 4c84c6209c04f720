// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

import type { CallOptions } from "../../options.js";
import type { ChangePasswordParams, ForgotPasswordParams, ResetPasswordParams } from "../../params/index.js";
import { Resource } from "../../resource.js";
import type { Accepted, AccessStopped } from "../../types/index.js";

/** `hj.auth.password` */
export class AuthPassword extends Resource {
  /**
   * Change one's own password, and end every other session.
   *
   * The session of the access token goes on. A wrong current password counts as a failed sign-in does.
   */
  change(params: ChangePasswordParams, options?: CallOptions): Promise<AccessStopped> {
    return this.transport.json(
      { method: "POST", path: "/v1/auth/password/change", body: params, by: "accessToken" },
      options,
    );
  }

  /**
   * Ask for a link to choose a new password.
   *
   * The answer is the same, and takes as long, whether or not anybody has the address. The link is good once, for an
   * hour, until a newer one is asked for.
   */
  forgot(params: ForgotPasswordParams, options?: CallOptions): Promise<Accepted> {
    return this.transport.json(
      { method: "POST", path: "/v1/auth/password/forgot", body: params, by: "publishableKey" },
      options,
    );
  }

  /**
   * Set a new password with the secret of a link.
   *
   * Ends every session of the user and a lock, and verifies the address; a ban and a disable stay. It does not sign in:
   * signing in asks for what else the account needs.
   */
  reset(params: ResetPasswordParams, options?: CallOptions): Promise<void> {
    return this.transport.nothing(
      { method: "POST", path: "/v1/auth/password/reset", body: params, by: "publishableKey" },
      options,
    );
  }
}
