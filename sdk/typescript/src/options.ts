/** What a client, and a single call, can be told. */

/** The four kinds of credential. Each operation takes one of them, or none. */
export type Credential = "secretKey" | "publishableKey" | "masterKey" | "accessToken";

export interface ClientOptions {
  /** A secret key, `sk_live_…` or `sk_test_…`. If absent, the environment's `HELLOJOHN_SECRET_KEY`. */
  secretKey?: string | undefined;
  /** A publishable key, for `auth`: signing up and in. */
  publishableKey?: string | undefined;
  /** A master key, for `tenants`. */
  masterKey?: string | undefined;
  /** The access token of a user, for what users do themselves (`auth.me`, `auth.sessions`, …). */
  accessToken?: string | undefined;
  /** Where the server is, without `/v1`. If absent, the environment's `HELLOJOHN_API_URL`, or else the public service. */
  baseURL?: string | undefined;
  /** The credential names its tenant. When this is given too, the server refuses a credential of another one. */
  tenantId?: string | undefined;
  /** How many milliseconds to wait for an answer, and then for its body or its next piece. 60,000 if absent. */
  timeout?: number | undefined;
  /** How often a call is sent again after a network error, 408, 429 or 5xx. 2 if absent. */
  maxRetries?: number | undefined;
  /** Who is behind the key, in your own terms, on every call: kept in the audit log, never trusted. */
  actingAdmin?: string | undefined;
  /** What sends the requests, in the place of the global `fetch`. */
  fetch?: typeof globalThis.fetch | undefined;
}

export interface CallOptions {
  /** How many milliseconds to wait for an answer, and then for its body or its next piece. */
  timeout?: number | undefined;
  /** How often this call is sent again. */
  maxRetries?: number | undefined;
  /** The key under which the server keeps its first answer for 24 hours. One is made for each call if absent. */
  idempotencyKey?: string | undefined;
  /** The `version` that you read. When the object has another by now, nothing is changed: `PreconditionFailedError`. */
  ifMatch?: number | string | undefined;
  /** Who is behind the key, in your own terms: kept in the audit log, never trusted. */
  actingAdmin?: string | undefined;
  /** Another access token than the client's. */
  accessToken?: string | undefined;
  /** Ends the call. What is thrown is the signal's reason. */
  signal?: AbortSignal | undefined;
}

const PUBLIC_SERVICE = "https://api.hellojohn.dev";

/** Returns where the server is, without a slash at the end. */
export function baseURLOf(options: ClientOptions): string {
  return (options.baseURL ?? fromEnvironment("HELLOJOHN_API_URL") ?? PUBLIC_SERVICE).replace(/(\/v1)?\/*$/, "");
}

/** Returns the credential of a kind, if there is one. */
export function credentialOf(kind: Credential, options: ClientOptions, call: CallOptions): string | undefined {
  if (kind === "accessToken") return call.accessToken ?? options.accessToken;
  return options[kind] ?? (kind === "secretKey" ? fromEnvironment("HELLOJOHN_SECRET_KEY") : undefined);
}

// Not every runtime has a `process`, and this file must not ask for Node's.
function fromEnvironment(name: string): string | undefined {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
  return process?.env?.[name] || undefined;
}
