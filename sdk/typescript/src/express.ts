/** Middleware for Express. */

import { admit, isRefusal, type Requirements } from "./guard.js";
import type { Verified } from "./verdicts.js";
import type { Verifier } from "./verify.js";

export type { Requirements } from "./guard.js";

declare global {
  namespace Express {
    interface Request {
      /** Who calls, behind `requireUser`. */
      auth?: Verified;
    }
  }
}

// What is needed of Express, so that its types need not be installed.
interface Incoming {
  headers: { authorization?: string | undefined };
  auth?: Verified;
}

interface Outgoing {
  status(code: number): Outgoing;
  set(headers: Record<string, string>): Outgoing;
  json(body: unknown): unknown;
}

/**
 * Returns a middleware that lets only users with a good access token by, as `req.auth`; others are answered 401 or 403.
 *
 *     app.use("/api", requireUser(verifier));
 *     app.post("/api/pay", requireUser(verifier, { refuseImpersonated: true }), (req, res) => res.json(req.auth?.user_id));
 */
export function requireUser(verifier: Verifier, requirements: Requirements = {}) {
  return async (request: Incoming, response: Outgoing, next: (error?: unknown) => void): Promise<void> => {
    try {
      const outcome = await admit(verifier, request.headers.authorization, requirements);
      if (isRefusal(outcome)) {
        response.status(outcome.status).set(outcome.headers).json(outcome.body);
        return;
      }
      request.auth = outcome;
    } catch (error) {
      next(error);
      return;
    }
    next();
  };
}
