// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

import type { CallOptions } from "../../options.js";
import type { PagePromise } from "../../pages.js";
import type { ListEmailsParams } from "../../params/index.js";
import { Resource } from "../../resource.js";
import { path } from "../../transport.js";
import type { Email } from "../../types/index.js";

/** `hj.admin.emails` */
export class AdminEmails extends Resource {
  /**
   * Get a mail, without its text.
   *
   * Needs the scope `audit:read`.
   */
  get(emailId: string, options?: CallOptions): Promise<Email> {
    return this.transport.json({ method: "GET", path: path`/v1/admin/emails/${emailId}` }, options);
  }

  /**
   * List the mails of the last thirty days, newest first: to whom, of what kind, and what became of each.
   *
   * Never their text, which holds secrets.
   *
   * Needs the scope `audit:read`.
   */
  list(params: ListEmailsParams = {}, options?: CallOptions): PagePromise<Email> {
    return this.transport.page({ method: "GET", path: "/v1/admin/emails", query: params }, options);
  }

  /**
   * Send a mail now that failed or was given up, to the address that it was for.
   *
   * One that waits already stays as it is.
   *
   * Needs the scope `users:write`.
   */
  resend(emailId: string, options?: CallOptions): Promise<Email> {
    return this.transport.json(
      { method: "POST", path: path`/v1/admin/emails/${emailId}/resend`, keyed: true },
      options,
    );
  }
}
