// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

import type { TenantKeyType } from "../types/index.js";

/** What `hj.apiKeys.create` is given. */
export interface CreateApiKeyParams {
  /** 1 to 200 characters, not all blank */
  name: string;
  type?: TenantKeyType;
  scopes?: string[] | null;
  /** a whole number and a unit: s m h d w y (365 days), as in 1h */
  expires_in?: string | null;
  allowed_ips?: string[] | null;
}

/** What `hj.apiKeys.list` is given. */
export interface ListApiKeysParams {
  /** Rows per page */
  limit?: number;
  /** next_cursor of the page before */
  cursor?: string;
  type?: TenantKeyType;
}

/** What `hj.apiKeys.revoke` is given. */
export interface RevokeApiKeyParams {
  /** Shown with the key */
  reason?: string | null;
}

/** What `hj.apiKeys.rotate` is given. */
export interface RotateApiKeyParams {
  /** a whole number and a unit: s m h d w y (365 days), as in 1h */
  overlap?: string | null;
  /** Shown with the key */
  reason?: string | null;
}
