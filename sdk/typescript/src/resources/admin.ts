// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

import type { CallOptions } from "../options.js";
import type { ImpersonateUserParams } from "../params/index.js";
import { Resource } from "../resource.js";
import type { Impersonation, Stats } from "../types/index.js";
import { AdminConfig } from "./admin/config.js";
import { AdminEmails } from "./admin/emails.js";
import { AdminImports } from "./admin/imports.js";
import { AdminJobs } from "./admin/jobs.js";
import { AdminPlans } from "./admin/plans.js";

/** `hj.admin` */
export class Admin extends Resource {
  readonly config: AdminConfig = new AdminConfig(this.transport);
  readonly emails: AdminEmails = new AdminEmails(this.transport);
  readonly imports: AdminImports = new AdminImports(this.transport);
  readonly jobs: AdminJobs = new AdminJobs(this.transport);
  readonly plans: AdminPlans = new AdminPlans(this.transport);

  /**
   * Act in a user's place.
   *
   * The answer has an access token of the user's, marked as an impersonation, for an hour if expires_in does not say
   * otherwise. It opens few operations, cannot be refreshed, and ends with the key that made it.
   *
   * Needs the scope `users:impersonate`. In some cases also `admins:manage`.
   */
  impersonate(params: ImpersonateUserParams, options?: CallOptions): Promise<Impersonation> {
    return this.transport.json(
      { method: "POST", path: "/v1/admin/users/impersonate", body: params, keyed: true },
      options,
    );
  }

  /**
   * Get the tenant's figures: users, second factors, sessions, organizations, sign-ins.
   *
   * From counters that are kept with every change. Days are those of UTC, today included.
   *
   * Needs the scope `users:read`.
   */
  stats(options?: CallOptions): Promise<Stats> {
    return this.transport.json({ method: "GET", path: "/v1/admin/stats" }, options);
  }
}
