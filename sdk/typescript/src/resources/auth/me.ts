// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

import type { CallOptions } from "../../options.js";
import type { ChangeEmailParams, UpdateMeParams } from "../../params/index.js";
import { Resource } from "../../resource.js";
import { given } from "../../transport.js";
import type { EmailChange, OwnUser } from "../../types/index.js";

/** `hj.auth.me` */
export class AuthMe extends Resource {
  /**
   * Ask for another e-mail address.
   *
   * The address changes when the link that is mailed to the new one is used, within 24 hours. The answer is the same
   * whether or not somebody has it. A wrong current password counts as a failed sign-in does.
   */
  changeEmail(params: ChangeEmailParams, options?: CallOptions): Promise<EmailChange> {
    return this.transport.json({ method: "POST", path: "/v1/auth/me/email", body: params, by: "accessToken" }, options);
  }

  /** Get the user of the access token. */
  get(options?: CallOptions): Promise<OwnUser> {
    return this.transport.json({ method: "GET", path: "/v1/auth/me", by: "accessToken" }, options);
  }

  /**
   * Change one's own profile.
   *
   * Fields that are absent stay as they are; null clears one.
   */
  update(params: UpdateMeParams = {}, options?: CallOptions): Promise<OwnUser> {
    return this.transport.json(
      { method: "PATCH", path: "/v1/auth/me", body: given(params), by: "accessToken", keyed: true },
      options,
    );
  }
}
