-- How far imports of users are. `run` counts who went on with one; digest is over the first `position` bytes of its file.
CREATE TABLE imports (
    seq INTEGER PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL UNIQUE,
    format TEXT NOT NULL,
    content TEXT NOT NULL,
    dry_run INTEGER NOT NULL,
    run INTEGER NOT NULL,
    row_count INTEGER NOT NULL,
    imported INTEGER NOT NULL,
    duplicates INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    position INTEGER NOT NULL,
    line INTEGER NOT NULL,
    digest TEXT,
    stopped_code TEXT,
    stopped_line INTEGER,
    stopped_message TEXT,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    progress_at INTEGER NOT NULL,
    completed_at INTEGER,
    purge_at INTEGER NOT NULL
);
CREATE INDEX imports_purge_at ON imports (purge_at);

-- Rows that made no user: where they stood, and what was wrong. Nothing of what was in them.
CREATE TABLE import_refused_rows (
    seq INTEGER PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    import_id TEXT NOT NULL,
    row_number INTEGER NOT NULL,
    line INTEGER NOT NULL,
    faults TEXT NOT NULL,
    UNIQUE (import_id, row_number)
);
