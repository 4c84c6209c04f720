/** Which calls are sent again, and after how long. */

import { ApiConnectionError, ApiError } from "./errors.js";

const FIRST_DELAY = 500;
const LONGEST_DELAY = 8_000;
const LONGEST_ASKED = 60_000;

// With these the server says that it has done nothing, so that any call may be sent again.
const UNDONE: ReadonlySet<number> = new Set([408, 429, 503]);

/** Returns how many milliseconds to wait before a repetition (the first is 0), or null not to make it. */
export function delayAfter(failure: unknown, repetition: number, isRepeatable: boolean): number | null {
  if (!isPassing(failure, isRepeatable)) return null;
  const asked = failure instanceof ApiError ? retryAfter(failure.headers) : null;
  if (asked !== null) return asked <= LONGEST_ASKED ? asked : null;
  return Math.min(FIRST_DELAY * 2 ** repetition, LONGEST_DELAY) * (0.5 + Math.random() / 2);
}

/** Waits; when the signal ends that, what is thrown is its reason. */
export function wait(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, milliseconds);
    if (signal?.aborted) abort();
    else signal?.addEventListener("abort", abort, { once: true });
  });
}

function isPassing(failure: unknown, isRepeatable: boolean): boolean {
  if (failure instanceof ApiError) return UNDONE.has(failure.status) || (failure.status >= 500 && isRepeatable);
  return failure instanceof ApiConnectionError && isRepeatable;
}

// RFC 9110, section 10.2.3: a number of seconds, or a date.
function retryAfter(headers: Headers): number | null {
  const asked = headers.get("Retry-After")?.trim();
  if (!asked) return null;
  if (/^\d+$/.test(asked)) return Number(asked) * 1_000;
  const until = Date.parse(asked);
  return Number.isNaN(until) ? null : Math.max(0, until - Date.now());
}
