// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

import type { CallOptions } from "../../options.js";
import type { PagePromise } from "../../pages.js";
import type { ListJobsParams, StartJobParams, UndoJobParams } from "../../params/index.js";
import { Resource } from "../../resource.js";
import type { RowStream } from "../../streams.js";
import { given, path } from "../../transport.js";
import type { Job, ReportLine, ShownJob } from "../../types/index.js";

/** `hj.admin.jobs` */
export class AdminJobs extends Resource {
  /**
   * Cancel a job. What it did already stays done.
   *
   * Needs the scope `jobs:write`. In some cases also `sessions:write`, `users:write`.
   */
  cancel(jobId: string, options?: CallOptions): Promise<ShownJob> {
    return this.transport.json({ method: "POST", path: path`/v1/admin/jobs/${jobId}/cancel`, keyed: true }, options);
  }

  /**
   * Get a job: how far it has come, and the first of the users at whom it failed.
   *
   * Needs the scope `jobs:read`.
   */
  get(jobId: string, options?: CallOptions): Promise<ShownJob> {
    return this.transport.json({ method: "GET", path: path`/v1/admin/jobs/${jobId}` }, options);
  }

  /**
   * List jobs, the newest first.
   *
   * Needs the scope `jobs:read`.
   */
  list(params: ListJobsParams = {}, options?: CallOptions): PagePromise<Job> {
    return this.transport.page({ method: "GET", path: "/v1/admin/jobs", query: params }, options);
  }

  /**
   * Get what became of each user that a job has come to, a line for each.
   *
   * Needs the scope `jobs:read`.
   */
  report(jobId: string, options?: CallOptions): RowStream<ReportLine> {
    return this.transport.stream({ method: "GET", path: path`/v1/admin/jobs/${jobId}/report` }, options);
  }

  /**
   * Run a plan.
   *
   * It is done beside the server, in steps. If it would be done to others by now than the plan says, it is refused,
   * unless accept_changes is true.
   *
   * Needs the scope `jobs:write`. In some cases also `admins:manage`, `sessions:write`, `users:write`.
   */
  start(params: StartJobParams, options?: CallOptions): Promise<ShownJob> {
    return this.transport.json({ method: "POST", path: "/v1/admin/jobs", body: params, keyed: true }, options);
  }

  /**
   * Undo a job: a job itself, which has each user whom it changed be as before.
   *
   * Users who changed since are skipped. Sessions that ended stay ended.
   *
   * Needs the scope `jobs:write`. In some cases also `admins:manage`, `users:write`.
   */
  undo(jobId: string, params: UndoJobParams = {}, options?: CallOptions): Promise<ShownJob> {
    return this.transport.json(
      { method: "POST", path: path`/v1/admin/jobs/${jobId}/undo`, body: given(params), keyed: true },
      options,
    );
  }
}
