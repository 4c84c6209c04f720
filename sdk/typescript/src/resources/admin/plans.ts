// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

import type { CallOptions } from "../../options.js";
import type { CreatePlanParams } from "../../params/index.js";
import { Resource } from "../../resource.js";
import { path } from "../../transport.js";
import type { Plan } from "../../types/index.js";

/** `hj.admin.plans` */
export class AdminPlans extends Resource {
  /**
   * Make a plan of an act on many users, without doing anything.
   *
   * It says to how many users it would be done, shows some of them, and says whom it leaves out and why. One that finds
   * more than 5,000 is preparing at first: get it again until it is ready. A job runs it within a day.
   *
   * Needs the scope `jobs:write`. In some cases also `admins:manage`, `sessions:write`, `users:write`.
   */
  create(params: CreatePlanParams, options?: CallOptions): Promise<Plan> {
    return this.transport.json({ method: "POST", path: "/v1/admin/plans", body: params, keyed: true }, options);
  }

  /**
   * Get a plan.
   *
   * Needs the scope `jobs:read`.
   */
  get(planId: string, options?: CallOptions): Promise<Plan> {
    return this.transport.json({ method: "GET", path: path`/v1/admin/plans/${planId}` }, options);
  }
}
