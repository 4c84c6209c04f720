/** Verifies access tokens where they are presented, and knows within a second what has been revoked. */

import { MissingCredential } from "./errors.js";
import { Feed } from "./feed.js";
import { KeySet } from "./keys.js";
import { baseURLOf, credentialOf } from "./options.js";
import { wait } from "./retries.js";
import { readToken, type AccessClaims } from "./tokens.js";
import { Transport } from "./transport.js";
import type { VerifiedToken } from "./types/index.js";
import { InvalidToken, VerificationUnavailable, verdictOf, type Verified } from "./verdicts.js";

export { HelloJohnError, MissingCredential } from "./errors.js";
export type { AccessClaims } from "./tokens.js";
export { InvalidToken, VerificationUnavailable, type TokenRefusal, type Verified } from "./verdicts.js";

/** What is done while the feed is stale: ask the API of each token, refuse every token, or go by what is known. */
export type OnStale = "check_remote" | "fail_closed" | "fail_open";

export interface VerifierOptions {
  /** The tenant whose tokens are taken. */
  tenantId: string;
  /** Who made the tokens: the server's HELLOJOHN_PUBLIC_URL. If absent, `baseURL`. */
  issuer?: string | undefined;
  /** Where the server is. If absent, the environment's `HELLOJOHN_API_URL`, or else the public service. */
  baseURL?: string | undefined;
  /** A secret key with `revocations:read`, and `sessions:read` for `check_remote`. If absent, `HELLOJOHN_SECRET_KEY`. */
  secretKey?: string | undefined;
  /** `check_remote` if absent. */
  onStale?: OnStale | undefined;
  /** After how many milliseconds without a word the feed is stale. 3,000 if absent. */
  staleAfter?: number | undefined;
  /** False: revoked tokens are taken until they expire, and no key is needed. */
  revocations?: boolean | undefined;
  /** How many entries of the feed are kept at most; with more the feed counts as stale. 200,000 if absent. */
  maxEntries?: number | undefined;
  /** Is told what went wrong with the feed, which is tried again in any case. */
  onError?: ((error: unknown) => void) | undefined;
  /** What sends the requests, in the place of the global `fetch`. */
  fetch?: typeof globalThis.fetch | undefined;
}

const STALE_AFTER = 3_000;
const TIMEOUT = 5_000;
const MAX_ENTRIES = 200_000;

/**
 * Verifies access tokens: signature, issuer, audience, tenant, time, and that nothing has revoked them.
 *
 *     const verifier = new Verifier({ tenantId: "tnt_01H…" });
 *     const { user_id, is_impersonated } = await verifier.verify(token);
 *
 * One is enough for a process. From its first token on it follows the revocation feed in the background until `close()`.
 */
export class Verifier {
  readonly #transport: Transport;
  readonly #keys: KeySet;
  readonly #feed: Feed | undefined;
  readonly #issuer: string;
  readonly #tenantId: string;
  readonly #onStale: OnStale;

  constructor(options: VerifierOptions) {
    const { secretKey, baseURL, fetch, revocations = true } = options;
    if (revocations && credentialOf("secretKey", { secretKey }, {}) === undefined) {
      throw new MissingCredential("A verifier that follows revocations needs a secret key with revocations:read.");
    }
    this.#transport = new Transport({ secretKey, baseURL, fetch, timeout: TIMEOUT, maxRetries: 1 });
    this.#keys = new KeySet(this.#transport);
    this.#issuer = (options.issuer ?? baseURLOf(options)).replace(/\/+$/, "");
    this.#tenantId = options.tenantId;
    this.#onStale = options.onStale ?? "check_remote";
    if (revocations) {
      const { staleAfter = STALE_AFTER, maxEntries = MAX_ENTRIES, onError = () => {} } = options;
      this.#feed = new Feed(this.#transport, { staleAfter, maxEntries, onError });
    }
  }

  /** Whether what is known of revocations is too old to go by. It is until the feed has been read once. */
  get isStale(): boolean {
    return this.#feed?.isStale() ?? false;
  }

  /**
   * Begins to follow the feed, and returns once it is known what was revoked so far: before a server takes requests, for
   * one. Says whether it is, as nobody is waited for longer than `timeout` milliseconds.
   */
  async waitUntilFresh(timeout = 5_000): Promise<boolean> {
    const waited = new AbortController();
    await Promise.race([this.#feed?.start(), wait(timeout, waited.signal)]);
    waited.abort();
    return !this.isStale;
  }

  /** Returns what a token says; InvalidToken when it is not good, VerificationUnavailable when nobody can say. */
  async verify(token: string): Promise<Verified> {
    void this.#feed?.start();
    const { kid, claims, signature, signed } = readToken(token);
    const isSigned = await this.#keys.verify(kid, signature, signed);
    if (isSigned !== true) throw new InvalidToken("invalid_token", "The token was not signed with a key of the API.");
    this.#judge(claims);
    if (this.#feed !== undefined) await this.#ask(this.#feed, token, kid, claims);
    return verdictOf(claims);
  }

  /** Lets go of the feed. Tokens are verified as while it is stale from then on. */
  close(): void {
    this.#feed?.close();
  }

  #judge({ iss, aud, tenant_id, exp }: AccessClaims): void {
    if (iss !== this.#issuer) throw new InvalidToken("invalid_token", "The token is of another issuer.");
    if (aud !== this.#tenantId || tenant_id !== this.#tenantId) {
      throw new InvalidToken("invalid_token", "The token is of another tenant, or for something else.");
    }
    if (Date.now() >= exp * 1_000) throw new InvalidToken("token_expired", "The token has expired.");
  }

  async #ask(feed: Feed, token: string, kid: string, claims: AccessClaims): Promise<void> {
    if (feed.revocations.has(kid, claims)) throw new InvalidToken("token_revoked", "The token has been revoked.");
    if (!feed.isStale() || this.#onStale === "fail_open") return;
    if (this.#onStale === "fail_closed") throw new VerificationUnavailable("The revocation feed is stale.");
    const { valid, reason } = await this.#checkRemote(token);
    if (!valid) throw new InvalidToken(reason ?? "invalid_token", "The API refuses the token.");
  }

  async #checkRemote(token: string): Promise<VerifiedToken> {
    try {
      return await this.#transport.json({ method: "POST", path: "/v1/sessions/verify", body: { token }, safe: true });
    } catch (cause) {
      throw new VerificationUnavailable("The revocation feed is stale, and the API cannot be asked.", { cause });
    }
  }
}
