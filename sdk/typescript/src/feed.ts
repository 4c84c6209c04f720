/** Follows the revocation feed, in the background, for as long as it is wanted. */

import { ApiError, BadRequestError, UnprocessableEntityError } from "./errors.js";
import { wait } from "./retries.js";
import { Revocations } from "./revocations.js";
import { linesOf } from "./rows.js";
import { piecesOf } from "./streams.js";
import type { Transport } from "./transport.js";
import type { Revocation, RevocationList } from "./types/index.js";

const FIRST_DELAY = 250;
const LONGEST_DELAY = 2_000; // less than what makes it stale: where there is no stream to be had, it is polled

export interface FeedOptions {
  staleAfter: number;
  maxEntries: number;
  onError: (error: unknown) => void;
}

interface Event {
  id: string;
  event: string;
  data: string;
}

/** The feed: first everything that cannot be forgotten yet, then each entry as it comes. */
export class Feed {
  readonly revocations: Revocations;
  readonly #transport: Transport;
  readonly #staleAfter: number;
  readonly #onError: (error: unknown) => void;
  readonly #ended = new AbortController();
  #cursor: string | undefined;
  #heardAt = -Infinity;
  #failures = 0;
  #first: { promise: Promise<void>; done: () => void } | undefined;

  constructor(transport: Transport, options: FeedOptions) {
    this.#transport = transport;
    this.#staleAfter = options.staleAfter;
    this.#onError = options.onError;
    this.revocations = new Revocations(options.maxEntries);
  }

  /** Says whether what is known may lack something that was revoked a while ago. */
  isStale(): boolean {
    return performance.now() - this.#heardAt > this.#staleAfter || !this.revocations.isComplete();
  }

  /** Begins to follow, once; returns when everything that was revoked so far is known. */
  start(): Promise<void> {
    if (this.#first === undefined) {
      let done = () => {};
      this.#first = { promise: new Promise((resolve) => (done = resolve)), done };
      void this.#follow();
    }
    return this.#first.promise;
  }

  /** Ends it. What is known stays, and grows stale. */
  close(): void {
    this.#ended.abort();
    this.#first?.done();
  }

  async #follow(): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      try {
        await this.#catchUp(signal);
        await this.#listen(signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#note(error);
      }
      const delay = Math.min(FIRST_DELAY * 2 ** Math.max(this.#failures - 1, 0), LONGEST_DELAY);
      await wait(delay * (0.5 + Math.random() / 2), signal).catch(() => undefined);
    }
  }

  #note(error: unknown): void {
    this.#onError(error);
    if (error instanceof ApiError && error.code === "tenant_suspended") {
      this.revocations.isSuspended = true;
      return;
    }
    // A cursor that is not taken any more: from the beginning. What is known stays known.
    if (error instanceof BadRequestError || error instanceof UnprocessableEntityError) this.#cursor = undefined;
    this.#failures += 1;
  }

  #noteFresh(at: number): void {
    this.#heardAt = at;
    this.revocations.isSuspended = false;
  }

  async #catchUp(signal: AbortSignal): Promise<void> {
    const options = { signal, timeout: this.#staleAfter, maxRetries: 0 };
    for (let has_more = true; has_more; ) {
      const query = { since: this.#cursor, limit: 1_000 };
      const asked = performance.now();
      const listed: RevocationList = await this.#transport.json({ method: "GET", path: "/v1/revocations", query }, options);
      listed.data.forEach((entry) => this.revocations.add(entry));
      this.#cursor = listed.next_cursor;
      has_more = listed.has_more;
      if (!has_more) this.#noteFresh(asked);
    }
    this.#first?.done();
  }

  async #listen(signal: AbortSignal): Promise<void> {
    const options = { signal, timeout: this.#staleAfter, maxRetries: 0 };
    const operation = { method: "GET", path: "/v1/revocations", query: { since: this.#cursor } } as const;
    const opened = await this.#transport.open(operation, options, "text/event-stream");
    let isCurrent = false; // what came while nobody listened comes before the first heartbeat
    for await (const { id, event, data } of eventsOf(linesOf(piecesOf(opened)))) {
      if (event === "revocation") this.revocations.add(JSON.parse(data) as Revocation);
      if (id !== "") this.#cursor = id;
      if (event === "heartbeat") isCurrent = true;
      if (!isCurrent) continue;
      this.#noteFresh(performance.now());
      this.#failures = 0;
    }
  }
}

/** Yields the events of a stream (HTML, section 9.2.6). A comment is none. */
async function* eventsOf(lines: AsyncIterable<string>): AsyncGenerator<Event, void, undefined> {
  let now: Event = { id: "", event: "message", data: "" };
  for await (const line of lines) {
    if (line === "") {
      if (now.data !== "") yield now;
      now = { id: "", event: "message", data: "" };
      continue;
    }
    const [, name, value = ""] = /^([^:]*)(?:: ?(.*))?$/.exec(line) ?? [];
    if (name === "id" || name === "event") now[name] = value;
    if (name === "data") now.data += now.data === "" ? value : `\n${value}`;
  }
}
