// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

/** A role. One that is built in has no times, and an id that is the same in every tenant. */
export interface Role {
  id: string;
  name: string;
  display_name: string | null;
  description: string | null;
  scope: RoleScope;
  permissions: string[];
  privileged: boolean;
  built_in: boolean;
  /** RFC 3339 in UTC, with milliseconds */
  created_at: string | null;
  /** RFC 3339 in UTC, with milliseconds */
  updated_at: string | null;
  version: number;
}

/** Whom a role describes: a user in the tenant, or a member in one organization. */
export type RoleScope = "organization" | "tenant";
