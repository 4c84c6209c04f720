// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

import type { CallOptions } from "../options.js";
import type { PagePromise } from "../pages.js";
import type { CreateOrganizationParams, ListOrganizationsParams, UpdateOrganizationParams } from "../params/index.js";
import { Resource } from "../resource.js";
import { given, path } from "../transport.js";
import type { Organization } from "../types/index.js";
import { OrganizationsInvitations } from "./organizations/invitations.js";
import { OrganizationsMembers } from "./organizations/members.js";

/** `hj.organizations` */
export class Organizations extends Resource {
  readonly invitations: OrganizationsInvitations = new OrganizationsInvitations(this.transport);
  readonly members: OrganizationsMembers = new OrganizationsMembers(this.transport);

  /**
   * Make an organization.
   *
   * It has no members yet. Without a slug it gets one from its name.
   *
   * Needs the scope `organizations:write`.
   */
  create(params: CreateOrganizationParams, options?: CallOptions): Promise<Organization> {
    return this.transport.json({ method: "POST", path: "/v1/organizations", body: params, keyed: true }, options);
  }

  /**
   * Delete an organization for good, with its memberships. Its users stay.
   *
   * Needs the scope `organizations:write`.
   */
  delete(organizationId: string, options?: CallOptions): Promise<void> {
    return this.transport.nothing(
      { method: "DELETE", path: path`/v1/organizations/${organizationId}`, keyed: true },
      options,
    );
  }

  /**
   * Get an organization.
   *
   * Needs the scope `organizations:read`.
   */
  get(organizationId: string, options?: CallOptions): Promise<Organization> {
    return this.transport.json({ method: "GET", path: path`/v1/organizations/${organizationId}` }, options);
  }

  /**
   * List organizations by name; with a query, those whose names start so.
   *
   * Needs the scope `organizations:read`.
   */
  list(params: ListOrganizationsParams = {}, options?: CallOptions): PagePromise<Organization> {
    return this.transport.page({ method: "GET", path: "/v1/organizations", query: params }, options);
  }

  /**
   * Change an organization.
   *
   * Fields that are absent stay as they are. Metadata is merged.
   *
   * Needs the scope `organizations:write`.
   */
  update(organizationId: string, params: UpdateOrganizationParams = {}, options?: CallOptions): Promise<Organization> {
    return this.transport.json(
      { method: "PATCH", path: path`/v1/organizations/${organizationId}`, body: given(params), keyed: true },
      options,
    );
  }
}
