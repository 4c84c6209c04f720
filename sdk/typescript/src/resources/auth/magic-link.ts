// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

import type { CallOptions } from "../../options.js";
import type { RequestMagicLinkParams, VerifyMagicLinkParams } from "../../params/index.js";
import { Resource } from "../../resource.js";
import type { Accepted, SignedIn } from "../../types/index.js";

/** `hj.auth.magicLink` */
export class AuthMagicLink extends Resource {
  /**
   * Ask for a link to sign in with.
   *
   * It opens the application's own page (urls.magic_link_url in the settings); without one, none is mailed. The answer
   * is the same, and takes as long, whether or not anybody has the address. Good once, for 15 minutes.
   */
  request(params: RequestMagicLinkParams, options?: CallOptions): Promise<Accepted> {
    return this.transport.json(
      { method: "POST", path: "/v1/auth/magic-link", body: params, by: "publishableKey" },
      options,
    );
  }

  /**
   * Sign in with the secret of a link.
   *
   * Verifies the address. Whoever has a second factor is asked for it, as after a password.
   */
  verify(params: VerifyMagicLinkParams, options?: CallOptions): Promise<SignedIn> {
    return this.transport.json(
      { method: "POST", path: "/v1/auth/magic-link/verify", body: params, by: "publishableKey" },
      options,
    );
  }
}
