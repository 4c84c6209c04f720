// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

import type { EmailStatus, EmailTemplate } from "../types/index.js";

/** What `hj.admin.emails.list` is given. */
export interface ListEmailsParams {
  /** Rows per page */
  limit?: number;
  /** next_cursor of the page before */
  cursor?: string;
  status?: EmailStatus;
  template?: EmailTemplate;
  user_id?: string;
}
