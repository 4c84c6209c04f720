// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

import type { Content, UserFormat } from "../types/index.js";

/** What `hj.admin.imports.create` is given. */
export interface CreateImportParams {
  /** base64_signer_key of the project's hash_config */
  firebase_signer_key?: string;
  /** its base64_salt_separator */
  firebase_salt_separator?: string;
  /** its rounds */
  firebase_rounds?: number;
  /** its mem_cost */
  firebase_memory_cost?: number;
  /** whose file it is */
  format?: UserFormat;
  /** say what would happen, and write no user */
  dry_run?: boolean;
  /** what becomes of a row that is taken already */
  on_conflict?: "skip";
  /** How the rows stand in the file: NDJSON if absent, unless a Blob says otherwise of itself */
  content_type?: Content;
}

/** What `hj.admin.imports.list` is given. */
export interface ListImportsParams {
  /** Rows per page */
  limit?: number;
  /** next_cursor of the page before */
  cursor?: string;
}

/** What `hj.admin.imports.resume` is given. */
export interface ResumeImportParams {
  /** base64_signer_key of the project's hash_config */
  firebase_signer_key?: string;
  /** its base64_salt_separator */
  firebase_salt_separator?: string;
  /** its rounds */
  firebase_rounds?: number;
  /** its mem_cost */
  firebase_memory_cost?: number;
  /** How the rows stand in the file: NDJSON if absent, unless a Blob says otherwise of itself */
  content_type?: Content;
}
