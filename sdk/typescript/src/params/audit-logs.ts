// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

import type { ActorType, AuditResult, ExportFormat } from "../types/index.js";

/** What `hj.auditLogs.create` is given. */
export interface CreateAuditLogParams {
  /** words of a-z 0-9 _ - separated by dots, as in invoice.sent; not the name of a built-in type */
  action: string;
  actor?: string | null;
  resource_id?: string | null;
  /** At most 16 KiB of JSON */
  metadata?: Record<string, unknown>;
}

/** What `hj.auditLogs.export` is given. */
export interface ExportAuditLogsParams {
  format?: ExportFormat;
  actor_id?: string;
  user_id?: string;
  actor_type?: ActorType;
  /** a type such as user.disabled, or every type that starts alike: user.* */
  type?: string;
  result?: AuditResult;
  ip_address?: string;
  resource_id?: string;
  resource_type?: string;
  /** RFC 3339 with an offset or Z */
  from?: string;
  /** RFC 3339 with an offset or Z */
  to?: string;
}

/** What `hj.auditLogs.list` is given. */
export interface ListAuditLogsParams {
  /** Entries per page */
  limit?: number;
  /** next_cursor of the page before */
  cursor?: string;
  actor_id?: string;
  user_id?: string;
  actor_type?: ActorType;
  /** a type such as user.disabled, or every type that starts alike: user.* */
  type?: string;
  result?: AuditResult;
  ip_address?: string;
  resource_id?: string;
  resource_type?: string;
  /** RFC 3339 with an offset or Z */
  from?: string;
  /** RFC 3339 with an offset or Z */
  to?: string;
}
