/** Who may come in: what the middlewares of all frameworks do. */

import { InvalidToken, VerificationUnavailable, type Verified } from "./verdicts.js";
import type { Verifier } from "./verify.js";

/** What a route asks of whoever calls it, beside a good access token. */
export interface Requirements {
  /** The role that the user must have, or one of several. */
  role?: string | readonly string[] | undefined;
  /** Nobody may act in the user's place here: payments, consent, credentials. */
  refuseImpersonated?: boolean | undefined;
  /** Whoever only looks in is refused here: everything that writes. */
  refuseReadOnly?: boolean | undefined;
}

/** An answer that turns somebody away: its body is of the same form as the API's errors. */
export interface Refusal {
  status: 401 | 403 | 503;
  headers: Record<string, string>;
  body: { error: { code: string; message: string; status: number } };
}

/** Returns who presents an `Authorization` header, or the answer that turns them away. */
export async function admit(
  verifier: Verifier,
  authorization: string | undefined,
  requirements: Requirements,
): Promise<Verified | Refusal> {
  const [, token] = /^Bearer +(\S+) *$/i.exec(authorization ?? "") ?? [];
  if (token === undefined) return refusal(401, "missing_token", "An access token is needed.");
  try {
    const verified = await verifier.verify(token);
    return refusalOf(verified, requirements) ?? verified;
  } catch (error) {
    if (error instanceof InvalidToken) return refusal(401, error.code, error.message);
    if (error instanceof VerificationUnavailable) return refusal(503, "verification_unavailable", error.message);
    throw error;
  }
}

/** Says whether somebody was turned away. */
export function isRefusal(outcome: Verified | Refusal): outcome is Refusal {
  return "status" in outcome;
}

function refusalOf(verified: Verified, requirements: Requirements): Refusal | undefined {
  const { role, refuseImpersonated, refuseReadOnly } = requirements;
  if (role !== undefined && ![role].flat().includes(verified.role)) {
    return refusal(403, "insufficient_role", "Another role is needed.");
  }
  if (refuseImpersonated === true && verified.is_impersonated) {
    return refusal(403, "impersonation_forbidden", "Nobody may do this in the user's place.");
  }
  if (refuseReadOnly === true && verified.read_only) {
    return refusal(403, "read_only", "This token only looks.");
  }
  return undefined;
}

function refusal(status: Refusal["status"], code: string, message: string): Refusal {
  const headers: Record<string, string> = {};
  // RFC 6750, section 3.1: without a token no error is named.
  if (status === 401) headers["WWW-Authenticate"] = code === "missing_token" ? "Bearer" : 'Bearer error="invalid_token"';
  return { status, headers, body: { error: { code, message, status } } };
}
