/** The keys that access tokens are verified with. */

import type { Transport } from "./transport.js";
import type { JsonWebKey, JsonWebKeySet } from "./types/index.js";
import { VerificationUnavailable } from "./verdicts.js";

const LIFETIME = 900_000;
const USABLE = 3_600_000;
const BETWEEN_MISSES = 60_000;
const AFTER_FAILURE = 1_000;

/** The published keys, kept for a quarter of an hour, or until a token names another; then at most once a minute. */
export class KeySet {
  readonly #transport: Transport;
  #keys = new Map<string, CryptoKey>();
  #fetchedAt = -Infinity;
  #missedAt = -Infinity;
  #failedAt = -Infinity;
  #fetching: Promise<void> | undefined;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Says whether one of the keys made a signature; null when there is no key of this id. */
  async verify(kid: string, signature: BufferSource, signed: BufferSource): Promise<boolean | null> {
    const now = performance.now();
    if (now - this.#fetchedAt > LIFETIME) await this.#refresh();
    if (!this.#keys.has(kid) && now - this.#missedAt > BETWEEN_MISSES) {
      this.#missedAt = now;
      await this.#refresh();
    }
    const key = this.#keys.get(kid);
    return key === undefined ? null : (await subtle()).verify("Ed25519", key, signature, signed);
  }

  // What is there is good for an hour when it cannot be fetched anew.
  async #refresh(): Promise<void> {
    if (performance.now() - this.#failedAt < AFTER_FAILURE) return this.#goOn();
    this.#fetching ??= this.#fetch().finally(() => (this.#fetching = undefined));
    await this.#fetching.catch((error: unknown) => {
      this.#failedAt = performance.now();
      this.#goOn(error);
    });
  }

  #goOn(cause?: unknown): void {
    if (performance.now() - this.#fetchedAt < USABLE) return;
    throw new VerificationUnavailable("The keys that tokens are verified with cannot be fetched.", { cause });
  }

  async #fetch(): Promise<void> {
    const set = await this.#transport.json<JsonWebKeySet>({ method: "GET", path: "/.well-known/jwks.json", by: null });
    const read = await Promise.all(set.keys.map(imported));
    this.#keys = new Map(read);
    this.#fetchedAt = performance.now();
  }
}

async function imported({ kid, x }: JsonWebKey): Promise<[string, CryptoKey]> {
  const key = await (await subtle()).importKey("jwk", { kty: "OKP", crv: "Ed25519", x }, "Ed25519", false, ["verify"]);
  return [kid, key];
}

// Node 18 has the same under another name only. The name is no literal, so that bundlers for the edge do not look for it.
async function subtle(): Promise<SubtleCrypto> {
  if (globalThis.crypto !== undefined) return globalThis.crypto.subtle;
  const name = "node:crypto";
  const { webcrypto } = (await import(name)) as { webcrypto: Crypto };
  return webcrypto.subtle;
}
