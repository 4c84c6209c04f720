/** Middleware for Hono. */

import type { MiddlewareHandler } from "hono";

import { admit, isRefusal, type Requirements } from "./guard.js";
import type { Verified } from "./verdicts.js";
import type { Verifier } from "./verify.js";

export type { Requirements } from "./guard.js";

/** What `requireUser` puts into the context. */
export interface AuthVariables {
  auth: Verified;
}

/**
 * Returns a middleware that lets only users with a good access token by, as `c.get("auth")`; others are answered 401 or 403.
 *
 *     app.use("/api/*", requireUser(verifier));
 *     app.post("/api/pay", requireUser(verifier, { refuseImpersonated: true }), (c) => c.json(c.get("auth").user_id));
 */
export function requireUser(
  verifier: Verifier,
  requirements: Requirements = {},
): MiddlewareHandler<{ Variables: AuthVariables }> {
  return async (c, next) => {
    const outcome = await admit(verifier, c.req.header("Authorization"), requirements);
    if (isRefusal(outcome)) return c.json(outcome.body, outcome.status, outcome.headers);
    c.set("auth", outcome);
    return next();
  };
}
