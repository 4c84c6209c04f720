// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

import type { CallOptions } from "../options.js";
import type { PagePromise } from "../pages.js";
import type {
  CreateTenantApiKeyParams,
  CreateTenantParams,
  DeleteTenantParams,
  ListTenantsParams,
  SuspendTenantParams,
  UpdateTenantParams,
} from "../params/index.js";
import { Resource } from "../resource.js";
import { given, path } from "../transport.js";
import type { MadeKey, Tenant } from "../types/index.js";

/** `hj.tenants` */
export class Tenants extends Resource {
  /** Make a tenant. */
  create(params: CreateTenantParams, options?: CallOptions): Promise<Tenant> {
    return this.transport.json(
      { method: "POST", path: "/v1/tenants", body: params, by: "masterKey", keyed: true },
      options,
    );
  }

  /**
   * Make a key of a tenant, with any scope.
   *
   * The key itself is in this answer and never again. The tenant's audit log names the master key as the actor.
   */
  createApiKey(tenantId: string, params: CreateTenantApiKeyParams, options?: CallOptions): Promise<MadeKey> {
    return this.transport.json(
      { method: "POST", path: path`/v1/tenants/${tenantId}/api-keys`, body: params, by: "masterKey", keyed: true },
      options,
    );
  }

  /**
   * Destroy a tenant and everything in it.
   *
   * Needs `?confirm=<the tenant's id>`. There is no way back.
   */
  delete(tenantId: string, params: DeleteTenantParams = {}, options?: CallOptions): Promise<void> {
    return this.transport.nothing(
      { method: "DELETE", path: path`/v1/tenants/${tenantId}`, query: params, by: "masterKey", keyed: true },
      options,
    );
  }

  /** Get a tenant. */
  get(tenantId: string, options?: CallOptions): Promise<Tenant> {
    return this.transport.json({ method: "GET", path: path`/v1/tenants/${tenantId}`, by: "masterKey" }, options);
  }

  /** List tenants, newest first. */
  list(params: ListTenantsParams = {}, options?: CallOptions): PagePromise<Tenant> {
    return this.transport.page({ method: "GET", path: "/v1/tenants", query: params, by: "masterKey" }, options);
  }

  /** Resume a suspended tenant. */
  resume(tenantId: string, options?: CallOptions): Promise<Tenant> {
    return this.transport.json(
      { method: "POST", path: path`/v1/tenants/${tenantId}/resume`, by: "masterKey", keyed: true },
      options,
    );
  }

  /** Suspend a tenant: every key and token of it is refused from the next request on. */
  suspend(tenantId: string, params: SuspendTenantParams = {}, options?: CallOptions): Promise<Tenant> {
    return this.transport.json(
      {
        method: "POST",
        path: path`/v1/tenants/${tenantId}/suspend`,
        body: given(params),
        by: "masterKey",
        keyed: true,
      },
      options,
    );
  }

  /** Change a tenant's name. */
  update(tenantId: string, params: UpdateTenantParams = {}, options?: CallOptions): Promise<Tenant> {
    return this.transport.json(
      { method: "PATCH", path: path`/v1/tenants/${tenantId}`, body: given(params), by: "masterKey", keyed: true },
      options,
    );
  }
}
