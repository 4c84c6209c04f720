// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

import type { Action, Parameters } from "./admin.js";

/**
 * A job. It has come to `done` of its `users`; at the end `gone` were found no more, as they were erased meanwhile.
 *
 * Parameters that can name somebody are null once it has ended.
 */
export interface Job {
  id: string;
  status: JobStatus;
  stop_reason: StopReason | null;
  action: Action;
  parameters: Parameters;
  plan_id: string | null;
  undo_of: string | null;
  users: number;
  done: number;
  changed: number;
  unchanged: number;
  skipped: number;
  failed: number;
  gone: number;
  sessions_revoked: number;
  created_by: string;
  /** RFC 3339 in UTC, with milliseconds */
  created_at: string;
  /** RFC 3339 in UTC, with milliseconds */
  started_at: string | null;
  /** RFC 3339 in UTC, with milliseconds */
  ended_at: string | null;
}

/** What a job is. It is `checking` while a large plan is compared with how things are now. */
export type JobStatus = "cancelled" | "checking" | "completed" | "running" | "stopped";

/** What became of a user. `unchanged`: it was so already. `skipped` and `failed` come with a code. */
export type Outcome = "changed" | "failed" | "skipped" | "unchanged";

/** What became of one user. `code` says why, for those who were skipped and those at whom it failed. */
export interface ReportLine {
  user_id: string;
  outcome: Outcome;
  code: string | null;
}

/** A job with the first of the users at whom it failed. */
export interface ShownJob {
  id: string;
  status: JobStatus;
  stop_reason: StopReason | null;
  action: Action;
  parameters: Parameters;
  plan_id: string | null;
  undo_of: string | null;
  users: number;
  done: number;
  changed: number;
  unchanged: number;
  skipped: number;
  failed: number;
  gone: number;
  sessions_revoked: number;
  created_by: string;
  /** RFC 3339 in UTC, with milliseconds */
  created_at: string;
  /** RFC 3339 in UTC, with milliseconds */
  started_at: string | null;
  /** RFC 3339 in UTC, with milliseconds */
  ended_at: string | null;
  failures: ReportLine[];
}

/** Why a job was stopped. */
export type StopReason =
  | "error"
  | "key_expired"
  | "key_revoked"
  | "mail_not_configured"
  | "plan_changed"
  | "tenant_suspended";
