/** What has been revoked, as far as the feed has told it. */

import type { AccessClaims } from "./tokens.js";
import type { Revocation } from "./types/index.js";

interface Kept {
  /** Milliseconds since the epoch, except a user's: the first generation that is not refused. */
  from: number;
  forgetAt: number;
}

const BETWEEN_SWEEPS = 10_000;
const BETWEEN_SWEEPS_WHEN_FULL = 500;

/** A session's `revoked_at` that is further ahead than clocks differ is meant: its key is rotated with an overlap. */
const AT_ONCE = 300_000;

/** Entries of the feed, each until no token that it concerns can be valid. */
export class Revocations {
  /** The whole tenant is shut, and with it the feed: every token of it is refused. */
  isSuspended = false;
  readonly #longest: number;
  readonly #kept = new Map<string, Kept>();
  #sweptAt = 0;
  #incompleteUntil = 0;

  constructor(longest: number) {
    this.#longest = longest;
  }

  /** How many there are. */
  get size(): number {
    return this.#kept.size;
  }

  /** Says whether all that the feed has told is here. It is not while something had to be left out for want of room. */
  isComplete(): boolean {
    return Date.now() >= this.#incompleteUntil;
  }

  /** Takes an entry; one that comes twice is one. */
  add(entry: Revocation): void {
    const named = nameOf(entry);
    if (named === null) return; // of a later server: what it is about is refused by that server alone
    const forgetAt = Date.parse(entry.forget_at);
    if (forgetAt <= Date.now()) return;
    const from = entry.type === "user" ? (entry.gen_below ?? 0) : Date.parse(entry.revoked_at);
    const before = this.#kept.get(named);
    this.#sweep();
    if (before === undefined && this.#kept.size >= this.#longest) {
      this.#incompleteUntil = Math.max(this.#incompleteUntil, forgetAt);
      return;
    }
    const stronger = before === undefined ? from : strongerOf(entry.type, before.from, from);
    this.#kept.set(named, { from: stronger, forgetAt: Math.max(forgetAt, before?.forgetAt ?? 0) });
  }

  /** Says whether a token that is good otherwise has been revoked. */
  has(kid: string, { sid, sub, gen, tenant_id, iat }: AccessClaims): boolean {
    const session = this.#kept.get(`session ${sid}`);
    const user = this.#kept.get(`user ${sub}`);
    const tenant = this.#kept.get(`tenant ${tenant_id}`);
    return (
      this.isSuspended ||
      (session !== undefined && session.from <= Date.now() + AT_ONCE) ||
      (user !== undefined && gen < user.from) ||
      this.#kept.has(`signing_key ${kid}`) ||
      (tenant !== undefined && iat * 1_000 <= tenant.from)
    );
  }

  #sweep(): void {
    const now = Date.now();
    const between = this.#kept.size < this.#longest ? BETWEEN_SWEEPS : BETWEEN_SWEEPS_WHEN_FULL;
    if (now - this.#sweptAt < between) return;
    this.#sweptAt = now;
    for (const [name, { forgetAt }] of this.#kept) if (forgetAt < now) this.#kept.delete(name);
  }
}

function nameOf({ type, session_id, user_id, kid, tenant_id }: Revocation): string | null {
  const named = { session: session_id, user: user_id, signing_key: kid, tenant: tenant_id }[type];
  return named === undefined ? null : `${type} ${named}`;
}

// A session ends at the earlier time, everything else goes on to the later.
function strongerOf(type: string, one: number, other: number): number {
  return type === "session" ? Math.min(one, other) : Math.max(one, other);
}
