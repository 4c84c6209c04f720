// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

import type { JobStatus } from "../types/index.js";

/** What `hj.admin.jobs.list` is given. */
export interface ListJobsParams {
  /** Rows per page */
  limit?: number;
  /** next_cursor of the page before */
  cursor?: string;
  status?: JobStatus;
}

/** What `hj.admin.jobs.start` is given. */
export interface StartJobParams {
  /** the id of a plan */
  plan_id: string;
  accept_changes?: boolean;
}

/** What `hj.admin.jobs.undo` is given. */
export interface UndoJobParams {
  /** why, for the audit log; at most 500 characters */
  reason?: string | null;
}
