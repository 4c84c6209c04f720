/** What comes of verifying a token. */

import { HelloJohnError } from "./errors.js";
import type { AccessClaims } from "./tokens.js";

/** Who a good token is of, and what it says of them. */
export interface Verified {
  user_id: string;
  session_id: string;
  tenant_id: string;
  /** The user's role when the token was made. */
  role: string;
  email: string;
  /** How the user signed in (RFC 8176). */
  amr: string[];
  /** The organization that the user is active in, and as what; null in none. */
  org_id: string | null;
  org_role: string | null;
  /** Somebody acts in the user's place: `actor` is who, `read_only` whether they may only look. */
  is_impersonated: boolean;
  actor: string | null;
  read_only: boolean;
  /** Seconds since the epoch. */
  issued_at: number;
  expires_at: number;
  /** Everything the token says. */
  claims: AccessClaims;
}

/** Why a token is refused, where we know it ourselves: else it is a code of the API. */
export type TokenRefusal = "invalid_token" | "token_expired" | "token_revoked";

/** The token is not good. */
export class InvalidToken extends HelloJohnError {
  override name = "InvalidToken";
  readonly code: TokenRefusal | (string & {});

  constructor(code: TokenRefusal | (string & {}), message: string) {
    super(message);
    this.code = code;
  }
}

/** Nobody can say now whether the token is good: the keys, the feed or the API cannot be reached. `cause` says more. */
export class VerificationUnavailable extends HelloJohnError {
  override name = "VerificationUnavailable";
}

/** Returns what the claims of a good token say. */
export function verdictOf(claims: AccessClaims): Verified {
  return {
    user_id: claims.sub,
    session_id: claims.sid,
    tenant_id: claims.tenant_id,
    role: claims.role,
    email: claims.email,
    amr: claims.amr,
    org_id: claims.org_id ?? null,
    org_role: claims.org_role ?? null,
    is_impersonated: claims.impersonated === true || claims.act !== undefined,
    actor: claims.act?.sub ?? null,
    read_only: claims.read_only === true,
    issued_at: claims.iat,
    expires_at: claims.exp,
    claims,
  };
}
