// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

import type { CallOptions } from "../../options.js";
import type { PagePromise } from "../../pages.js";
import type { JoinOrganizationParams, ListOwnOrganizationsParams, SignUpInvitedParams } from "../../params/index.js";
import { Resource } from "../../resource.js";
import { path } from "../../transport.js";
import type { Belonging, SignedIn } from "../../types/index.js";

/** `hj.auth.organizations` */
export class AuthOrganizations extends Resource {
  /**
   * Join an organization by a mailed link.
   *
   * For a user whose verified address is the one that the link was mailed to.
   */
  join(params: JoinOrganizationParams, options?: CallOptions): Promise<Belonging> {
    return this.transport.json(
      { method: "POST", path: "/v1/auth/organization-invitations/accept", body: params, by: "accessToken" },
      options,
    );
  }

  /** Leave an organization. The last owner stays. */
  leave(organizationId: string, options?: CallOptions): Promise<void> {
    return this.transport.nothing(
      { method: "DELETE", path: path`/v1/auth/organizations/${organizationId}`, by: "accessToken", keyed: true },
      options,
    );
  }

  /** List one's own organizations, and as what one is a member. */
  list(params: ListOwnOrganizationsParams = {}, options?: CallOptions): PagePromise<Belonging> {
    return this.transport.page(
      { method: "GET", path: "/v1/auth/organizations", query: params, by: "accessToken" },
      options,
    );
  }

  /**
   * Sign up by a mailed link, and join the organization.
   *
   * The address is the one that the link was mailed to, and verified thereby. Who has an account signs in, and accepts.
   */
  signUp(params: SignUpInvitedParams, options?: CallOptions): Promise<SignedIn> {
    return this.transport.json(
      { method: "POST", path: "/v1/auth/organization-invitations/sign-up", body: params, by: "publishableKey" },
      options,
    );
  }
}
