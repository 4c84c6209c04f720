// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

import type { CallOptions } from "../../options.js";
import type { PagePromise } from "../../pages.js";
import type {
  CreateInvitationParams,
  ListInvitationsParams,
  ResendOrganizationInvitationParams,
  RevokeInvitationParams,
} from "../../params/index.js";
import { Resource } from "../../resource.js";
import { given, path } from "../../transport.js";
import type { Invitation } from "../../types/index.js";

/** `hj.organizations.invitations` */
export class OrganizationsInvitations extends Resource {
  /**
   * Invite somebody into an organization by mail.
   *
   * The link is good once, for seven days. The answer is the same whether or not anybody has the address.
   *
   * Needs the scope `organizations:write`.
   */
  create(organizationId: string, params: CreateInvitationParams, options?: CallOptions): Promise<Invitation> {
    return this.transport.json(
      { method: "POST", path: path`/v1/organizations/${organizationId}/invitations`, body: params, keyed: true },
      options,
    );
  }

  /**
   * List the open invitations to an organization, the oldest first.
   *
   * Needs the scope `organizations:read`.
   */
  list(organizationId: string, params: ListInvitationsParams = {}, options?: CallOptions): PagePromise<Invitation> {
    return this.transport.page(
      { method: "GET", path: path`/v1/organizations/${organizationId}/invitations`, query: params },
      options,
    );
  }

  /**
   * Mail an invitation again.
   *
   * The new link is good for seven days, the one before no more.
   *
   * Needs the scope `organizations:write`.
   */
  resend(
    organizationId: string,
    invitationId: string,
    params: ResendOrganizationInvitationParams = {},
    options?: CallOptions,
  ): Promise<Invitation> {
    return this.transport.json(
      {
        method: "POST",
        path: path`/v1/organizations/${organizationId}/invitations/${invitationId}/resend`,
        body: given(params),
        keyed: true,
      },
      options,
    );
  }

  /**
   * Revoke an invitation: its link is good no more.
   *
   * Needs the scope `organizations:write`.
   */
  revoke(
    organizationId: string,
    invitationId: string,
    params: RevokeInvitationParams = {},
    options?: CallOptions,
  ): Promise<void> {
    return this.transport.nothing(
      {
        method: "DELETE",
        path: path`/v1/organizations/${organizationId}/invitations/${invitationId}`,
        body: given(params),
        keyed: true,
      },
      options,
    );
  }
}
