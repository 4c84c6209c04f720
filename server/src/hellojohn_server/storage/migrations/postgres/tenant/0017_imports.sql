-- How far imports of users are. `run` counts who went on with one; digest is over the first `position` bytes of its file.
CREATE TABLE imports (
    tenant_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    format TEXT COLLATE "C" NOT NULL,
    content TEXT COLLATE "C" NOT NULL,
    dry_run BOOLEAN NOT NULL,
    run BIGINT NOT NULL,
    row_count BIGINT NOT NULL,
    imported BIGINT NOT NULL,
    duplicates BIGINT NOT NULL,
    refused BIGINT NOT NULL,
    position BIGINT NOT NULL,
    line BIGINT NOT NULL,
    digest TEXT COLLATE "C",
    stopped_code TEXT COLLATE "C",
    stopped_line BIGINT,
    stopped_message TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    created_by TEXT COLLATE "C" NOT NULL,
    progress_at BIGINT NOT NULL,
    completed_at BIGINT,
    purge_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX imports_purge_at ON imports (purge_at, tenant_id);

-- Rows that made no user: where they stood, and what was wrong. Nothing of what was in them.
CREATE TABLE import_refused_rows (
    tenant_id TEXT COLLATE "C" NOT NULL,
    import_id TEXT COLLATE "C" NOT NULL,
    row_number BIGINT NOT NULL,
    line BIGINT NOT NULL,
    faults TEXT COLLATE "C" NOT NULL,
    CONSTRAINT import_refused_rows_import_id_row_number_key PRIMARY KEY (tenant_id, import_id, row_number)
);
