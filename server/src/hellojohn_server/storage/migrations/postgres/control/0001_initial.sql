-- The control store: tenants, master keys (api_keys), its own audit and idempotency tables.
--
-- In every migration: text is COLLATE "C", so that it is ordered and compared by its bytes, as on SQLite and whatever
-- the database's locale. A unique key is named <table>_<its columns without tenant_id>_key: the store reads from that
-- name which column was taken. What a tenant owns has tenant_id first in its table and in every key and index.
CREATE TABLE tenants (
    id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    environment TEXT COLLATE "C" NOT NULL CHECK (environment IN ('live', 'test')),
    status TEXT COLLATE "C" NOT NULL CHECK (status IN ('creating', 'active', 'suspended', 'deleting')),
    store TEXT COLLATE "C" NOT NULL DEFAULT 'default',
    suspended_reason TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (id)
);

-- What the service itself must remember, such as which encryption key the store was made with.
CREATE TABLE service_facts (
    name TEXT COLLATE "C" NOT NULL,
    value TEXT COLLATE "C" NOT NULL,
    CONSTRAINT service_facts_name_key PRIMARY KEY (name)
);

CREATE TABLE api_keys (
    tenant_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    type TEXT COLLATE "C" NOT NULL CHECK (type IN ('secret', 'publishable', 'master')),
    name TEXT COLLATE "C" NOT NULL,
    key_hash BYTEA NOT NULL,
    hint TEXT COLLATE "C" NOT NULL,
    scopes TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT COLLATE "C" NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT,
    revoked_reason TEXT COLLATE "C",
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT api_keys_key_hash_key UNIQUE (tenant_id, key_hash)
);

-- The core of an audit entry: immutable, without personal values. Those are in audit_values, bound by salted hashes.
CREATE TABLE audit_entries (
    tenant_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    type TEXT COLLATE "C" NOT NULL,
    source TEXT COLLATE "C" NOT NULL,
    actor_id TEXT COLLATE "C" NOT NULL,
    actor_type TEXT COLLATE "C" NOT NULL,
    on_behalf_of_id TEXT COLLATE "C",
    on_behalf_of_type TEXT COLLATE "C",
    resource_id TEXT COLLATE "C",
    resource_type TEXT COLLATE "C",
    organization_id TEXT COLLATE "C",
    request_id TEXT COLLATE "C" NOT NULL,
    result TEXT COLLATE "C" NOT NULL,
    impersonated BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    actor_hash TEXT COLLATE "C" NOT NULL,
    resource_hash TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX audit_entries_actor ON audit_entries (tenant_id, actor_id, id);
CREATE INDEX audit_entries_on_behalf_of ON audit_entries (tenant_id, on_behalf_of_id, id)
WHERE on_behalf_of_id IS NOT NULL;
CREATE INDEX audit_entries_resource ON audit_entries (tenant_id, resource_id, id) WHERE resource_id IS NOT NULL;
CREATE INDEX audit_entries_resource_type ON audit_entries (tenant_id, resource_type, id) WHERE resource_type IS NOT NULL;
CREATE INDEX audit_entries_type ON audit_entries (tenant_id, type, id);
CREATE INDEX audit_entries_actor_type ON audit_entries (tenant_id, actor_type, id);
CREATE INDEX audit_entries_family ON audit_entries (tenant_id, substr(type, 1, strpos(type, '.')), id);
CREATE INDEX audit_entries_refused ON audit_entries (tenant_id, result, id) WHERE result <> 'success';

-- part 'actor': about who acted (name, asserted, address, agent); part 'resource': about what was acted on (reason,
-- changes, metadata). subject_id is the person or thing the values are about, so that erasing it destroys them.
CREATE TABLE audit_values (
    tenant_id TEXT COLLATE "C" NOT NULL,
    entry_id TEXT COLLATE "C" NOT NULL,
    part TEXT COLLATE "C" NOT NULL CHECK (part IN ('actor', 'resource')),
    subject_id TEXT COLLATE "C",
    salt BYTEA NOT NULL,
    document TEXT COLLATE "C" NOT NULL,
    ip_address TEXT COLLATE "C",
    CONSTRAINT audit_values_entry_id_part_key UNIQUE (tenant_id, entry_id, part)
);
CREATE INDEX audit_values_subject ON audit_values (tenant_id, subject_id) WHERE subject_id IS NOT NULL;
CREATE INDEX audit_values_ip_address ON audit_values (tenant_id, ip_address, entry_id) WHERE ip_address IS NOT NULL;

-- One row per credential, operation and minute: the first denial makes the entry, the others are counted here.
CREATE TABLE audit_denials (
    tenant_id TEXT COLLATE "C" NOT NULL,
    credential_id TEXT COLLATE "C" NOT NULL,
    operation TEXT COLLATE "C" NOT NULL,
    minute BIGINT NOT NULL,
    entry_id TEXT COLLATE "C" NOT NULL,
    denials BIGINT NOT NULL,
    CONSTRAINT audit_denials_credential_id_operation_minute_key UNIQUE (tenant_id, credential_id, operation, minute),
    CONSTRAINT audit_denials_entry_id_key UNIQUE (tenant_id, entry_id)
);

CREATE TABLE idempotency_records (
    tenant_id TEXT COLLATE "C" NOT NULL,
    key_hash TEXT COLLATE "C" NOT NULL,
    request_hash TEXT COLLATE "C" NOT NULL,
    answer BYTEA,
    expires_at BIGINT NOT NULL,
    CONSTRAINT idempotency_records_key_hash_key UNIQUE (tenant_id, key_hash)
);
CREATE INDEX idempotency_records_expires_at ON idempotency_records (tenant_id, expires_at);
-- The worker's question whose records have expired is put across tenants.
CREATE INDEX idempotency_records_due ON idempotency_records (expires_at);
