// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

import type { CallOptions } from "../../options.js";
import type { PagePromise } from "../../pages.js";
import type { ListOwnSessionsParams } from "../../params/index.js";
import { Resource } from "../../resource.js";
import { path } from "../../transport.js";
import type { OwnSession } from "../../types/index.js";

/** `hj.auth.sessions` */
export class AuthSessions extends Resource {
  /** List one's own active sessions, newest first. */
  list(params: ListOwnSessionsParams = {}, options?: CallOptions): PagePromise<OwnSession> {
    return this.transport.page({ method: "GET", path: "/v1/auth/sessions", query: params, by: "accessToken" }, options);
  }

  /** End a session of one's own. */
  revoke(sessionId: string, options?: CallOptions): Promise<void> {
    return this.transport.nothing(
      { method: "DELETE", path: path`/v1/auth/sessions/${sessionId}`, by: "accessToken", keyed: true },
      options,
    );
  }
}
