// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

import type { CallOptions } from "../options.js";
import { Resource } from "../resource.js";
import type { Health, JsonWebKeySet, Ready } from "../types/index.js";

/** `hj.server` */
export class Server extends Resource {
  /**
   * Say that the process lives.
   *
   * Answers 200 as long as requests are served at all, whatever the store does. For a supervisor that restarts.
   */
  health(options?: CallOptions): Promise<Health> {
    return this.transport.json({ method: "GET", path: "/health", by: null }, options);
  }

  /**
   * Get the keys that access tokens are verified with.
   *
   * A JSON Web Key Set (RFC 7517). Keep it for up to an hour, and fetch it anew when a token names another key.
   */
  keySet(options?: CallOptions): Promise<JsonWebKeySet> {
    return this.transport.json({ method: "GET", path: "/.well-known/jwks.json", by: null }, options);
  }

  /**
   * Say whether requests can be served.
   *
   * Asks the control store. For a load balancer that sends requests elsewhere meanwhile.
   */
  ready(options?: CallOptions): Promise<Ready> {
    return this.transport.json({ method: "GET", path: "/ready", by: null }, options);
  }
}
