/** Which calls are sent again, and after how long. */

import { ApiConnectionError, ApiError } from "./errors.js";

const FIRST_DELAY = 500;
const LONGEST_DELAY = 8_000;
const LONGEST_ASKED_SECONDS = 60;

// Refusals with a 503 that came before anything was done, and those that only an administrator of the server ends.
const UNDONE: ReadonlySet<string> = new Set(["password_hashing_busy", "server_busy"]);
const LASTING: ReadonlySet<string> = new Set(["mail_not_configured"]);

/**
 * Returns how many milliseconds to wait before a repetition (the first is 0), or null not to make it. What asks to wait
 * for more than a minute is not sent again: that is for the caller to decide.
 */
export function delayAfter(failure: unknown, repetition: number, isRepeatable: boolean): number | null {
  if (!isPassing(failure, isRepeatable)) return null;
  const asked = failure instanceof ApiError ? failure.retry_after : null;
  if (asked !== null) return asked <= LONGEST_ASKED_SECONDS ? asked * 1_000 : null;
  return Math.min(FIRST_DELAY * 2 ** repetition, LONGEST_DELAY) * (1 - Math.random() / 4);
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
  if (failure instanceof ApiConnectionError) return isRepeatable || !failure.was_sent;
  if (!(failure instanceof ApiError) || LASTING.has(failure.code)) return false;
  if (failure.status === 429 || UNDONE.has(failure.code)) return true;
  return isRepeatable && (failure.status === 408 || failure.status >= 500);
}
