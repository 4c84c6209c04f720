// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

/** What a body is written in. Of NDJSON each line is one JSON text, of CSV one row after a line of names. */
export type Content = "application/json" | "application/x-ndjson" | "text/csv" | "text/event-stream";

/**
 * An import. `rows` is how many were read: those of `imported`, `duplicates` and `refused` together.
 *
 * With `dry_run` nothing was written: `imported` is how many would have been.
 */
export interface Import {
  id: string;
  format: UserFormat;
  content: Content;
  dry_run: boolean;
  status: ImportStatus;
  rows: number;
  imported: number;
  duplicates: number;
  refused: number;
  bytes_read: number;
  stopped: Stopped | null;
  /** RFC 3339 in UTC, with milliseconds */
  created_at: string;
  created_by: string;
  /** RFC 3339 in UTC, with milliseconds */
  progress_at: string;
  /** RFC 3339 in UTC, with milliseconds */
  completed_at: string | null;
}

/** Where an import is. `interrupted`: the file has not been read to its end, and nobody reads it now. */
export type ImportStatus = "completed" | "interrupted" | "running";

/** A line of a report: a row that made no user. Nothing of what was in it is kept. */
export interface RefusedRow {
  row: number;
  line: number;
  faults: RowFault[];
}

/** What is wrong with a field of a row, as the file calls the field; "" for the row as a whole. */
export interface RowFault {
  field: string;
  code: string;
  message: string;
}

/** Why an import stopped before the end of its file, and at which line if that is why. */
export interface Stopped {
  code: string;
  message: string | null;
  line: number | null;
}

/** Whose files: ours, or another system's. */
export type UserFormat = "auth0" | "clerk" | "firebase" | "hellojohn" | "keycloak" | "supabase";
