// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

import type { CallOptions } from "../options.js";
import type { PagePromise } from "../pages.js";
import type { CreateRoleParams, ListRolesParams, UpdateRoleParams } from "../params/index.js";
import { Resource } from "../resource.js";
import { given, path } from "../transport.js";
import type { Role } from "../types/index.js";

/** `hj.roles` */
export class Roles extends Resource {
  /**
   * Make a role of the tenant's own.
   *
   * It describes users, or with scope organization members of organizations, to your application. A privileged one
   * needs admins:manage.
   *
   * Needs the scope `roles:write`. In some cases also `admins:manage`.
   */
  create(params: CreateRoleParams, options?: CallOptions): Promise<Role> {
    return this.transport.json({ method: "POST", path: "/v1/roles", body: params, keyed: true }, options);
  }

  /**
   * Delete a role of the tenant's own that nobody has.
   *
   * Needs the scope `roles:write`. In some cases also `admins:manage`.
   */
  delete(roleId: string, options?: CallOptions): Promise<void> {
    return this.transport.nothing({ method: "DELETE", path: path`/v1/roles/${roleId}`, keyed: true }, options);
  }

  /**
   * Get a role.
   *
   * Needs the scope `roles:read`.
   */
  get(roleId: string, options?: CallOptions): Promise<Role> {
    return this.transport.json({ method: "GET", path: path`/v1/roles/${roleId}` }, options);
  }

  /**
   * List roles: the built-in ones first, then the tenant's own by name.
   *
   * Needs the scope `roles:read`.
   */
  list(params: ListRolesParams = {}, options?: CallOptions): PagePromise<Role> {
    return this.transport.page({ method: "GET", path: "/v1/roles", query: params }, options);
  }

  /**
   * Change a role of the tenant's own.
   *
   * Its name and scope never change. A role that is privileged, or is made so, needs admins:manage.
   *
   * Needs the scope `roles:write`. In some cases also `admins:manage`.
   */
  update(roleId: string, params: UpdateRoleParams = {}, options?: CallOptions): Promise<Role> {
    return this.transport.json(
      { method: "PATCH", path: path`/v1/roles/${roleId}`, body: given(params), keyed: true },
      options,
    );
  }
}
