// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

import type { Action, Parameters } from "./admin.js";
import type { SearchFilters, UserStatus } from "./shared.js";

/** Why a plan leaves a user out. */
export type Exclusion = "already_so" | "deleted" | "no_such_user" | "role_privileged" | "too_large";

/** How many users a plan leaves out for a reason, and some of them. */
export interface ExclusionBody {
  reason: Exclusion;
  count: number;
  samples: string[];
}

/**
 * A plan. `users` is to how many it would be done, `hash` the SHA-256 of their ids (docs/plans-and-jobs.md).
 *
 * Of a plan that is `preparing` the numbers are those of so far. `query`, `filters` and the parameters that can name
 * somebody are null once it was run or has expired.
 */
export interface Plan {
  id: string;
  status: PlanStatus;
  action: Action;
  query: string | null;
  filters: SearchFilters | null;
  parameters: Parameters;
  matched: number;
  users: number;
  hash: string | null;
  samples: Sample[];
  excluded: ExclusionBody[];
  error: string | null;
  job_id: string | null;
  created_by: string;
  /** RFC 3339 in UTC, with milliseconds */
  created_at: string;
  /** RFC 3339 in UTC, with milliseconds */
  expires_at: string;
}

/** What a plan is. It is `expired` a day after it was made, and `used` once a job runs it. */
export type PlanStatus = "expired" | "failed" | "preparing" | "ready" | "used";

/** One of the users of a plan. But for the id all is null to a key without users:read. */
export interface Sample {
  id: string;
  email: string | null;
  name: string | null;
  role: string | null;
  status: UserStatus | null;
}
