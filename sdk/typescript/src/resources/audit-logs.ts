// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

import type { CallOptions } from "../options.js";
import type { PagePromise } from "../pages.js";
import type { CreateAuditLogParams, ExportAuditLogsParams, ListAuditLogsParams } from "../params/index.js";
import { Resource } from "../resource.js";
import type { RowStream } from "../streams.js";
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
   * Export audit entries.
   *
   * Every entry that the filters of the list select, newest first, as lines of JSON or of CSV. It is made while it goes
   * out: what there was when it began is in it, and once. An answer that breaks off is not complete: its last chunk is
   * missing.
   *
   * Needs the scope `audit:read`.
   */
  export(params: ExportAuditLogsParams & { format: "csv" }, options?: CallOptions): RowStream<Record<string, string>>;
  export(params?: ExportAuditLogsParams, options?: CallOptions): RowStream<AuditEntry>;
  export(params: ExportAuditLogsParams = {}, options?: CallOptions): RowStream<never> {
    return this.transport.stream({ method: "GET", path: "/v1/audit-logs/export", query: params }, options);
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
