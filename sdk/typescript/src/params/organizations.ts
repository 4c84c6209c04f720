// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

/** What `hj.organizations.create` is given. */
export interface CreateOrganizationParams {
  /** a name of 1 to 200 characters */
  name: string;
  /** 1 to 63 of a-z 0-9 and single - between; unique in the tenant */
  slug?: string | null;
  /** an object of at most 16 KiB as JSON */
  metadata?: Record<string, unknown>;
}

/** What `hj.organizations.list` is given. */
export interface ListOrganizationsParams {
  /** Rows per page */
  limit?: number;
  /** next_cursor of the page before */
  cursor?: string;
  /** The start of the name, without regard to case */
  query?: string;
}

/** What `hj.organizations.update` is given. */
export interface UpdateOrganizationParams {
  /** a name of 1 to 200 characters */
  name?: string;
  /** 1 to 63 of a-z 0-9 and single - between; unique in the tenant */
  slug?: string;
  /** an object of at most 16 KiB as JSON */
  metadata?: Record<string, unknown>;
}
