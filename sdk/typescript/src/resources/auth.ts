// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

import type { CallOptions } from "../options.js";
import type {
  AcceptInvitationParams,
  GetPasskeyOptionsParams,
  RefreshTokensParams,
  SignInParams,
  SignUpParams,
  VerifyEmailParams,
  VerifyMfaParams,
} from "../params/index.js";
import { Resource } from "../resource.js";
import type { RequestOptions, SignedIn } from "../types/index.js";
import { AuthMagicLink } from "./auth/magic-link.js";
import { AuthMe } from "./auth/me.js";
import { AuthMfa } from "./auth/mfa.js";
import { AuthOrganizations } from "./auth/organizations.js";
import { AuthPasskeys } from "./auth/passkeys.js";
import { AuthPassword } from "./auth/password.js";
import { AuthSessions } from "./auth/sessions.js";

/** `hj.auth` */
export class Auth extends Resource {
  readonly magicLink: AuthMagicLink = new AuthMagicLink(this.transport);
  readonly me: AuthMe = new AuthMe(this.transport);
  readonly mfa: AuthMfa = new AuthMfa(this.transport);
  readonly organizations: AuthOrganizations = new AuthOrganizations(this.transport);
  readonly passkeys: AuthPasskeys = new AuthPasskeys(this.transport);
  readonly password: AuthPassword = new AuthPassword(this.transport);
  readonly sessions: AuthSessions = new AuthSessions(this.transport);

  /**
   * Set the first password with the secret of an invitation's link.
   *
   * Verifies the address. It does not sign in.
   */
  acceptInvitation(params: AcceptInvitationParams, options?: CallOptions): Promise<void> {
    return this.transport.nothing(
      { method: "POST", path: "/v1/auth/invitation/accept", body: params, by: "publishableKey" },
      options,
    );
  }

  /**
   * Get what the browser needs to finish a sign-in with a passkey.
   *
   * What it answers goes to mfa/verify as credential.
   */
  mfaPasskeyOptions(params: GetPasskeyOptionsParams, options?: CallOptions): Promise<RequestOptions> {
    return this.transport.json(
      { method: "POST", path: "/v1/auth/mfa/passkey/options", body: params, by: "publishableKey" },
      options,
    );
  }

  /**
   * Get a session's next tokens.
   *
   * A refresh token is good once. When it comes again somebody else may have it, and the session ends. With an
   * organization_id the user is active in that organization from then on, and the access token says so.
   */
  refresh(params: RefreshTokensParams, options?: CallOptions): Promise<SignedIn> {
    return this.transport.json(
      { method: "POST", path: "/v1/auth/token/refresh", body: params, by: "publishableKey" },
      options,
    );
  }

  /**
   * Sign in with a password.
   *
   * An unknown address and a wrong password are answered alike, and after the same time. Ten failures with an address
   * within ten minutes lock it for fifteen.
   */
  signIn(params: SignInParams, options?: CallOptions): Promise<SignedIn> {
    return this.transport.json(
      { method: "POST", path: "/v1/auth/sign-in", body: params, by: "publishableKey" },
      options,
    );
  }

  /** End the session of the access token, an impersonation's too. */
  signOut(options?: CallOptions): Promise<void> {
    return this.transport.nothing(
      { method: "POST", path: "/v1/auth/sign-out", by: "accessToken", keyed: true },
      options,
    );
  }

  /** Sign up: make a user, and sign in. */
  signUp(params: SignUpParams, options?: CallOptions): Promise<SignedIn> {
    return this.transport.json(
      { method: "POST", path: "/v1/auth/sign-up", body: params, by: "publishableKey" },
      options,
    );
  }

  /**
   * Verify an e-mail address with the secret of a link.
   *
   * The link of a change of address makes the address the user's.
   */
  verifyEmail(params: VerifyEmailParams, options?: CallOptions): Promise<void> {
    return this.transport.nothing(
      { method: "POST", path: "/v1/auth/email/verify", body: params, by: "publishableKey" },
      options,
    );
  }

  /**
   * Finish a sign-in with a code of a second factor, a backup code, or a passkey.
   *
   * The challenge comes with mfa_required, is good once and for ten minutes. Each code is good once; five wrong ones
   * within ten minutes are answered as wrong.
   */
  verifyMfa(params: VerifyMfaParams, options?: CallOptions): Promise<SignedIn> {
    return this.transport.json(
      { method: "POST", path: "/v1/auth/mfa/verify", body: params, by: "publishableKey" },
      options,
    );
  }
}
