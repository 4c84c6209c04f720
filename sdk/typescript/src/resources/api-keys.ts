// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

import type { CallOptions } from "../options.js";
import type { PagePromise } from "../pages.js";
import type {
  CreateApiKeyParams,
  ListApiKeysParams,
  RevokeApiKeyParams,
  RotateApiKeyParams,
} from "../params/index.js";
import { Resource } from "../resource.js";
import { given, path } from "../transport.js";
import type { ApiKey, MadeKey } from "../types/index.js";

/** `hj.apiKeys` */
export class ApiKeys extends Resource {
  /**
   * Make a key.
   *
   * The key itself is in this answer and never again. The maker must hold every scope of the new key.
   *
   * Needs the scope `keys:write`. In some cases also `admins:manage`.
   */
  create(params: CreateApiKeyParams, options?: CallOptions): Promise<MadeKey> {
    return this.transport.json({ method: "POST", path: "/v1/api-keys", body: params, keyed: true }, options);
  }

  /**
   * Get the key that asks, without the key itself.
   *
   * Any secret key may ask about itself.
   */
  current(options?: CallOptions): Promise<ApiKey> {
    return this.transport.json({ method: "GET", path: "/v1/api-keys/current" }, options);
  }

  /**
   * Get a key, without the key itself.
   *
   * Needs the scope `keys:read`.
   */
  get(keyId: string, options?: CallOptions): Promise<ApiKey> {
    return this.transport.json({ method: "GET", path: path`/v1/api-keys/${keyId}` }, options);
  }

  /**
   * List the tenant's keys, newest first.
   *
   * Needs the scope `keys:read`.
   */
  list(params: ListApiKeysParams = {}, options?: CallOptions): PagePromise<ApiKey> {
    return this.transport.page({ method: "GET", path: "/v1/api-keys", query: params }, options);
  }

  /**
   * Revoke a key: it is refused everywhere from the next request on.
   *
   * Needs the scope `keys:write`. In some cases also `admins:manage`.
   */
  revoke(keyId: string, params: RevokeApiKeyParams = {}, options?: CallOptions): Promise<void> {
    return this.transport.nothing(
      { method: "DELETE", path: path`/v1/api-keys/${keyId}`, body: given(params), keyed: true },
      options,
    );
  }

  /**
   * Make a key in the place of another.
   *
   * The new key is in this answer and never again. The old one works on for the overlap.
   *
   * Needs the scope `keys:write`. In some cases also `admins:manage`.
   */
  rotate(keyId: string, params: RotateApiKeyParams = {}, options?: CallOptions): Promise<MadeKey> {
    return this.transport.json(
      { method: "POST", path: path`/v1/api-keys/${keyId}/rotate`, body: given(params), keyed: true },
      options,
    );
  }
}
