/** How long a request may take, beside the caller's own signal. */

import { ApiConnectionError, ApiTimeoutError } from "./errors.js";

/** Ends a request when a wait takes too long, or when the caller's signal says so. */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #timeout: number | null; // null: as long as it takes
  readonly #outer: AbortSignal | undefined;
  readonly #abort = () => this.#controller.abort();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isPassed = false;

  constructor(timeout: number | null, signal: AbortSignal | undefined) {
    this.#timeout = timeout;
    this.#outer = signal;
    if (signal?.aborted) this.#abort();
    else signal?.addEventListener("abort", this.#abort, { once: true });
  }

  /** What a request is given. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Waits for a part of an answer, as long as the deadline allows. */
  async for<T>(part: Promise<T>): Promise<T> {
    if (this.#timeout !== null) this.#timer = setTimeout(() => this.#pass(), this.#timeout);
    try {
      return await part;
    } catch (error) {
      throw this.#meaning(error);
    } finally {
      clearTimeout(this.#timer);
    }
  }

  /** Lets go of the caller's signal; the request has ended. */
  close(): void {
    this.#outer?.removeEventListener("abort", this.#abort);
  }

  #pass(): void {
    this.#isPassed = true;
    this.#abort();
  }

  #meaning(error: unknown): unknown {
    if (this.#outer?.aborted) return this.#outer.reason;
    if (this.#isPassed) return new ApiTimeoutError(`There was no answer within ${this.#timeout} ms.`, { cause: error });
    if (error instanceof ApiConnectionError) return error;
    return new ApiConnectionError("The server could not be reached, or its answer broke off.", { cause: error });
  }
}
