/** Access tokens: JSON Web Tokens (RFC 7519) signed with Ed25519 (RFC 8037), read without judging them. */

import { InvalidToken } from "./verdicts.js";

/** What an access token says, by the names of its claims. `iat` and `exp` are seconds since the epoch. */
export interface AccessClaims {
  iss: string;
  aud: string;
  sub: string;
  sid: string;
  tenant_id: string;
  role: string;
  email: string;
  amr: string[];
  gen: number;
  iat: number;
  exp: number;
  jti: string;
  org_id?: string;
  org_role?: string;
  act?: { sub: string };
  impersonated?: boolean;
  read_only?: boolean;
}

/** A token in its parts, none of which has been verified. */
export interface ReadToken {
  kid: string;
  claims: AccessClaims;
  signed: Uint8Array<ArrayBuffer>;
  signature: Uint8Array<ArrayBuffer>;
}

const LONGEST = 4096;

/** Returns the parts of a token; InvalidToken when it is none of ours. */
export function readToken(token: string): ReadToken {
  const [header, payload, signature, ...more] = token.length <= LONGEST ? token.split(".") : [];
  if (header === undefined || payload === undefined || signature === undefined || more.length > 0) throw malformed();
  const { alg, kid } = objectIn(header) as { alg?: unknown; kid?: unknown };
  const claims = objectIn(payload) as Partial<AccessClaims>;
  if (alg !== "EdDSA" || typeof kid !== "string" || !isWhole(claims)) throw malformed();
  return { kid, claims, signed: new TextEncoder().encode(`${header}.${payload}`), signature: bytesIn(signature) };
}

function isWhole(claims: Partial<AccessClaims>): claims is AccessClaims {
  const { sub, sid, gen, iat, exp } = claims;
  return typeof sub === "string" && typeof sid === "string" && [gen, iat, exp].every((each) => typeof each === "number");
}

function objectIn(part: string): object {
  const bytes = bytesIn(part);
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // told below
  }
  throw malformed();
}

function bytesIn(part: string): Uint8Array<ArrayBuffer> {
  if (!/^[\w-]*$/.test(part)) throw malformed();
  try {
    return Uint8Array.from(atob(part.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));
  } catch {
    throw malformed();
  }
}

function malformed(): InvalidToken {
  return new InvalidToken("invalid_token", "It is no access token.");
}
