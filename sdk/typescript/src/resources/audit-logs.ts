// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

import type { CallOptions } from "../options.js";
import type { PagePromise } from "../pages.js";
import type { CreateAuditLogParams, ListAuditLogsParams } from "../params/index.js";
import { Resource } from "../resource.js";
import { path } from "../transport.js";
import type { AuditEntry } from "../types/index.js";

/** `hj.auditLogs` */
export class AuditLogs extends Resource {
  /**
   * Record an entry of your own.
   *
   * The recorded actor is always the credential; `actor` is kept as `metadata.claimed_actor`.
   *
   * Needs the scope `audit:write`.
   */
  create(params: CreateAuditLogParams, options?: CallOptions): Promise<AuditEntry> {
    return this.transport.json({ method: "POST", path: "/v1/audit-logs", body: params, keyed: true }, options);
  }

  /**
   * Get an audit entry.
   *
   * Needs the scope `audit:read`.
   */
  get(entryId: string, options?: CallOptions): Promise<AuditEntry> {
    return this.transport.json({ method: "GET", path: path`/v1/audit-logs/${entryId}` }, options);
  }

  /**
   * List audit entries, newest first.
   *
   * Needs the scope `audit:read`.
   */
  list(params: ListAuditLogsParams = {}, options?: CallOptions): PagePromise<AuditEntry> {
    return this.transport.page({ method: "GET", path: "/v1/audit-logs", query: params }, options);
  }
}
