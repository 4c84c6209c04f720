// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

import type { CallOptions } from "../../options.js";
import type { PagePromise } from "../../pages.js";
import type { CreateImportParams, ListImportsParams, ResumeImportParams } from "../../params/index.js";
import { Resource } from "../../resource.js";
import type { RowStream } from "../../streams.js";
import { path } from "../../transport.js";
import type { Import, RefusedRow } from "../../types/index.js";
import type { FileContent } from "../../uploads.js";

/** `hj.admin.imports` */
export class AdminImports extends Resource {
  /**
   * Import users from a file.
   *
   * The body is the file, of any length. Rows are applied in batches while they come in, and the answer comes when the
   * file has ended. A row that is wrong, or whose address, username, id or external id is taken, is left out and listed
   * in the report. A file that breaks off leaves the import interrupted: it can go on.
   *
   * Needs the scope `users:write`. In some cases also `admins:manage`.
   */
  create(content: FileContent, params: CreateImportParams = {}, options?: CallOptions): Promise<Import> {
    const { content_type: contentType, ...query } = params;
    return this.transport.json({ method: "POST", path: "/v1/admin/imports", query, content, contentType }, options);
  }

  /**
   * Get an import: how far it is, and what came of it.
   *
   * Needs the scope `users:read`.
   */
  get(importId: string, options?: CallOptions): Promise<Import> {
    return this.transport.json({ method: "GET", path: path`/v1/admin/imports/${importId}` }, options);
  }

  /**
   * List the imports of the last thirty days, newest first.
   *
   * Needs the scope `users:read`.
   */
  list(params: ListImportsParams = {}, options?: CallOptions): PagePromise<Import> {
    return this.transport.page({ method: "GET", path: "/v1/admin/imports", query: params }, options);
  }

  /**
   * List the rows of an import that made no user, each on a line: its number, its line in the file, and why.
   *
   * Needs the scope `users:read`.
   */
  report(importId: string, options?: CallOptions): RowStream<RefusedRow> {
    return this.transport.stream({ method: "GET", path: path`/v1/admin/imports/${importId}/report` }, options);
  }

  /**
   * Go on with an interrupted import.
   *
   * The body is the same file from its beginning: what was applied is passed over, and must be as it was. Whoever still
   * reads it elsewhere is stopped.
   *
   * Needs the scope `users:write`. In some cases also `admins:manage`.
   */
  resume(
    importId: string,
    content: FileContent,
    params: ResumeImportParams = {},
    options?: CallOptions,
  ): Promise<Import> {
    const { content_type: contentType, ...query } = params;
    return this.transport.json(
      { method: "POST", path: path`/v1/admin/imports/${importId}/resume`, query, content, contentType },
      options,
    );
  }
}
