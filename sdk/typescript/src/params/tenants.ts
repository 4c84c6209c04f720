// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

import type { Environment, ShownStatus, TenantKeyType } from "../types/index.js";

/** What `hj.tenants.createApiKey` is given. */
export interface CreateTenantApiKeyParams {
  /** 1 to 200 characters, not all blank */
  name: string;
  type?: TenantKeyType;
  scopes?: string[] | null;
  /** a whole number and a unit: s m h d w y (365 days), as in 1h */
  expires_in?: string | null;
  allowed_ips?: string[] | null;
}

/** What `hj.tenants.create` is given. */
export interface CreateTenantParams {
  /** 1 to 200 characters, not all blank */
  name: string;
  environment?: Environment;
}

/** What `hj.tenants.delete` is given. */
export interface DeleteTenantParams {
  confirm?: string;
}

/** What `hj.tenants.list` is given. */
export interface ListTenantsParams {
  /** Rows per page */
  limit?: number;
  /** next_cursor of the page before */
  cursor?: string;
  status?: ShownStatus;
  environment?: Environment;
}

/** What `hj.tenants.suspend` is given. */
export interface SuspendTenantParams {
  /** Shown with the tenant */
  reason?: string | null;
}

/** What `hj.tenants.update` is given. */
export interface UpdateTenantParams {
  /** 1 to 200 characters, not all blank */
  name?: string;
}
