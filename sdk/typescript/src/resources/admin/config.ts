// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

import type { CallOptions } from "../../options.js";
import type { UpdateConfigParams } from "../../params/index.js";
import { Resource } from "../../resource.js";
import { given } from "../../transport.js";
import type { Config } from "../../types/index.js";

/** `hj.admin.config` */
export class AdminConfig extends Resource {
  /**
   * Get the tenant's settings.
   *
   * Needs the scope `config:read`.
   */
  get(options?: CallOptions): Promise<Config> {
    return this.transport.json({ method: "GET", path: "/v1/admin/config" }, options);
  }

  /**
   * Change the tenant's settings.
   *
   * What is absent stays as it is; null puts a setting back to its default. Settings of impersonation, of the lock, of
   * mail, of URLs and of CORS need admins:manage.
   *
   * Needs the scope `config:write`. In some cases also `admins:manage`.
   */
  update(params: UpdateConfigParams = {}, options?: CallOptions): Promise<Config> {
    return this.transport.json(
      { method: "PATCH", path: "/v1/admin/config", body: given(params), keyed: true },
      options,
    );
  }
}
