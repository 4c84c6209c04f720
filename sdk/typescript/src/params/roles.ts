// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

import type { RoleScope } from "../types/index.js";

/** What `hj.roles.create` is given. */
export interface CreateRoleParams {
  /** 1 to 64 of a-z 0-9 _ - with a letter first; it never changes */
  name: string;
  /** 1 to 200 characters, not all blank */
  display_name?: string | null;
  /** 1 to 500 characters, not all blank */
  description?: string | null;
  scope?: RoleScope;
  /** for your application; one that comes twice counts once */
  permissions?: string[];
  privileged?: boolean;
}

/** What `hj.roles.list` is given. */
export interface ListRolesParams {
  /** Rows per page */
  limit?: number;
  /** next_cursor of the page before */
  cursor?: string;
  scope?: RoleScope;
}

/** What `hj.roles.update` is given. */
export interface UpdateRoleParams {
  /** 1 to 200 characters, not all blank */
  display_name?: string | null;
  /** 1 to 500 characters, not all blank */
  description?: string | null;
  /** for your application; one that comes twice counts once */
  permissions?: string[];
  privileged?: boolean;
}
