// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

import type { CallOptions } from "../options.js";
import type { PagePromise } from "../pages.js";
import type {
  ListSessionsParams,
  RevokeEverySessionParams,
  RevokeSessionParams,
  RevokeUserSessionsParams,
  VerifyTokenParams,
} from "../params/index.js";
import { Resource } from "../resource.js";
import { given, path } from "../transport.js";
import type { AccessStopped, RevokedSession, Session, VerifiedToken } from "../types/index.js";

/** `hj.sessions` */
export class Sessions extends Resource {
  /**
   * Get a session, whatever its status.
   *
   * Needs the scope `sessions:read`.
   */
  get(sessionId: string, options?: CallOptions): Promise<Session> {
    return this.transport.json({ method: "GET", path: path`/v1/sessions/${sessionId}` }, options);
  }

  /**
   * List sessions, newest first; the active ones unless a status is asked for.
   *
   * Needs the scope `sessions:read`.
   */
  list(params: ListSessionsParams = {}, options?: CallOptions): PagePromise<Session> {
    return this.transport.page({ method: "GET", path: "/v1/sessions", query: params }, options);
  }

  /**
   * End a session: its tokens are refused from the next request on.
   *
   * Needs the scope `sessions:write`. In some cases also `admins:manage`.
   */
  revoke(sessionId: string, params: RevokeSessionParams = {}, options?: CallOptions): Promise<RevokedSession> {
    return this.transport.json(
      { method: "DELETE", path: path`/v1/sessions/${sessionId}`, body: given(params), keyed: true },
      options,
    );
  }

  /**
   * End every session of a user.
   *
   * The user may sign in again.
   *
   * Needs the scope `sessions:write`. In some cases also `admins:manage`.
   */
  revokeAll(userId: string, params: RevokeUserSessionsParams = {}, options?: CallOptions): Promise<AccessStopped> {
    return this.transport.json(
      { method: "DELETE", path: path`/v1/users/${userId}/sessions`, body: given(params), keyed: true },
      options,
    );
  }

  /**
   * Sign everybody out: end every session of the tenant.
   *
   * Needs `?confirm=<the tenant's id>`, and always admins:manage: administrators are signed out too.
   *
   * Needs the scope `sessions:write`. In some cases also `admins:manage`.
   */
  revokeEvery(params: RevokeEverySessionParams = {}, options?: CallOptions): Promise<AccessStopped> {
    const { confirm, ...body } = params;
    return this.transport.json(
      { method: "DELETE", path: "/v1/sessions", query: { confirm }, body: given(body), keyed: true },
      options,
    );
  }

  /**
   * Say whether an access token is good at this moment.
   *
   * Always 200. What is asked is more than the signature: whether its session still stands, and its user.
   *
   * Needs the scope `sessions:read`.
   */
  verify(params: VerifyTokenParams, options?: CallOptions): Promise<VerifiedToken> {
    return this.transport.json({ method: "POST", path: "/v1/sessions/verify", body: params, safe: true }, options);
  }
}
