-- The control store: tenants, master keys (api_keys), its own audit and idempotency tables, and the marks of pending work.
CREATE TABLE tenants (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    environment TEXT NOT NULL CHECK (environment IN ('live', 'test')),
    status TEXT NOT NULL CHECK (status IN ('creating', 'active', 'suspended', 'deleting')),
    store TEXT NOT NULL DEFAULT 'default',
    suspended_reason TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL
);

CREATE TABLE pending_work (
    seq INTEGER PRIMARY KEY,
    for_tenant TEXT NOT NULL UNIQUE,
    due_at INTEGER NOT NULL,
    generation INTEGER NOT NULL
);
CREATE INDEX pending_work_due_at ON pending_work (due_at);

-- What the service itself must remember, such as which encryption key the store was made with.
CREATE TABLE service_facts (
    seq INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    value TEXT NOT NULL
);

CREATE TABLE api_keys (
    seq INTEGER PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL CHECK (type IN ('secret', 'publishable', 'master')),
    name TEXT NOT NULL,
    key_hash BLOB NOT NULL UNIQUE,
    hint TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER,
    revoked_reason TEXT
);

-- The core of an audit entry: immutable, without personal values. Those are in audit_values, bound by salted hashes.
CREATE TABLE audit_entries (
    seq INTEGER PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL,
    source TEXT NOT NULL,
    actor_id TEXT NOT NULL,
    actor_type TEXT NOT NULL,
    on_behalf_of_id TEXT,
    on_behalf_of_type TEXT,
    resource_id TEXT,
    resource_type TEXT,
    organization_id TEXT,
    request_id TEXT NOT NULL,
    result TEXT NOT NULL,
    impersonated INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    actor_hash TEXT NOT NULL,
    resource_hash TEXT NOT NULL
);
CREATE INDEX audit_entries_actor ON audit_entries (actor_id, id);
CREATE INDEX audit_entries_on_behalf_of ON audit_entries (on_behalf_of_id, id) WHERE on_behalf_of_id IS NOT NULL;
CREATE INDEX audit_entries_resource ON audit_entries (resource_id, id) WHERE resource_id IS NOT NULL;
CREATE INDEX audit_entries_resource_type ON audit_entries (resource_type, id) WHERE resource_type IS NOT NULL;
CREATE INDEX audit_entries_type ON audit_entries (type, id);
CREATE INDEX audit_entries_actor_type ON audit_entries (actor_type, id);
CREATE INDEX audit_entries_family ON audit_entries (substr(type, 1, instr(type, '.')), id);
CREATE INDEX audit_entries_refused ON audit_entries (result, id) WHERE result <> 'success';

-- part 'actor': about who acted (name, asserted, address, agent); part 'resource': about what was acted on (reason,
-- changes, metadata). subject_id is the person or thing the values are about, so that erasing it destroys them.
CREATE TABLE audit_values (
    seq INTEGER PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    entry_id TEXT NOT NULL,
    part TEXT NOT NULL CHECK (part IN ('actor', 'resource')),
    subject_id TEXT,
    salt BLOB NOT NULL,
    document TEXT NOT NULL,
    ip_address TEXT,
    UNIQUE (entry_id, part)
);
CREATE INDEX audit_values_subject ON audit_values (subject_id) WHERE subject_id IS NOT NULL;
CREATE INDEX audit_values_ip_address ON audit_values (ip_address, entry_id) WHERE ip_address IS NOT NULL;

-- One row per credential, operation and minute: the first denial makes the entry, the others are counted here.
CREATE TABLE audit_denials (
    seq INTEGER PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    credential_id TEXT NOT NULL,
    operation TEXT NOT NULL,
    minute INTEGER NOT NULL,
    entry_id TEXT NOT NULL UNIQUE,
    denials INTEGER NOT NULL,
    UNIQUE (credential_id, operation, minute)
);

CREATE TABLE idempotency_records (
    seq INTEGER PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    key_hash TEXT NOT NULL UNIQUE,
    request_hash TEXT NOT NULL,
    answer BLOB,
    expires_at INTEGER NOT NULL
);
CREATE INDEX idempotency_records_expires_at ON idempotency_records (expires_at);
