// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

import type { Action, Parameters, SearchFilters } from "../types/index.js";

/** What `hj.admin.plans.create` is given. */
export interface CreatePlanParams {
  action: Action;
  /**
   * Words that must all occur in name, e-mail, username, phone or id, without regard to case and accents: one of three
   * characters and more anywhere, a shorter one at the start of a word
   */
  query?: string | null;
  filters?: SearchFilters | null;
  /** 1 to 5000 ids; repeated ones count once */
  user_ids?: string[] | null;
  parameters?: Parameters;
}
