// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

import type { CallOptions } from "../../options.js";
import type { SignInWithPasskeyParams } from "../../params/index.js";
import { Resource } from "../../resource.js";
import type { PasskeySignIn, SignedIn } from "../../types/index.js";

/** `hj.auth.passkeys` */
export class AuthPasskeys extends Resource {
  /**
   * Get what the browser needs to sign somebody in with a passkey alone.
   *
   * Any passkey that it keeps for the tenant may answer. The challenge is good once, for five minutes.
   */
  options(options?: CallOptions): Promise<PasskeySignIn> {
    return this.transport.json({ method: "POST", path: "/v1/auth/passkeys/options", by: "publishableKey" }, options);
  }

  /**
   * Sign in with a passkey alone.
   *
   * The authenticator must have looked who it is, so that it counts as two factors.
   */
  verify(params: SignInWithPasskeyParams, options?: CallOptions): Promise<SignedIn> {
    return this.transport.json(
      { method: "POST", path: "/v1/auth/passkeys/verify", body: params, by: "publishableKey" },
      options,
    );
  }
}
