// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

/** What a tenant is for. A test key opens only a test tenant, a live key only a live one. */
export type Environment = "live" | "test";

/** A status that a list can be asked for: a tenant being deleted is in none. */
export type ShownStatus = "active" | "creating" | "suspended";

/** A tenant. */
export interface Tenant {
  id: string;
  name: string;
  environment: Environment;
  status: TenantStatus;
  suspended_reason: string | null;
  /** RFC 3339 in UTC, with milliseconds */
  created_at: string;
  /** RFC 3339 in UTC, with milliseconds */
  updated_at: string;
  version: number;
}

/** Where a tenant is in its life. `creating` and `deleting` last until its store is made or destroyed. */
export type TenantStatus = "active" | "creating" | "deleting" | "suspended";
