// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

import type { CallOptions } from "../../options.js";
import type { PagePromise } from "../../pages.js";
import type {
  AddMemberParams,
  ListMembersParams,
  RemoveMemberParams,
  UpdateMemberParams,
} from "../../params/index.js";
import { Resource } from "../../resource.js";
import { given, path } from "../../transport.js";
import type { Member } from "../../types/index.js";

/** `hj.organizations.members` */
export class OrganizationsMembers extends Resource {
  /**
   * Make a user a member of an organization.
   *
   * Needs the scope `organizations:write`.
   */
  add(organizationId: string, params: AddMemberParams, options?: CallOptions): Promise<Member> {
    return this.transport.json(
      { method: "POST", path: path`/v1/organizations/${organizationId}/members`, body: params, keyed: true },
      options,
    );
  }

  /**
   * List the members of an organization, without those in the recycle bin.
   *
   * Needs the scope `organizations:read`.
   */
  list(organizationId: string, params: ListMembersParams = {}, options?: CallOptions): PagePromise<Member> {
    return this.transport.page(
      { method: "GET", path: path`/v1/organizations/${organizationId}/members`, query: params },
      options,
    );
  }

  /**
   * End a user's membership. The last owner stays.
   *
   * Needs the scope `organizations:write`.
   */
  remove(
    organizationId: string,
    userId: string,
    params: RemoveMemberParams = {},
    options?: CallOptions,
  ): Promise<void> {
    return this.transport.nothing(
      {
        method: "DELETE",
        path: path`/v1/organizations/${organizationId}/members/${userId}`,
        body: given(params),
        keyed: true,
      },
      options,
    );
  }

  /**
   * Give a member another role. The last owner keeps it.
   *
   * Needs the scope `organizations:write`.
   */
  update(organizationId: string, userId: string, params: UpdateMemberParams, options?: CallOptions): Promise<Member> {
    return this.transport.json(
      { method: "PATCH", path: path`/v1/organizations/${organizationId}/members/${userId}`, body: params, keyed: true },
      options,
    );
  }
}
