-- Everything that tenants own, each row with its tenant first; keys and indexes too. How text is compared and keys are
-- named: see the control store's first migration.
CREATE TABLE tenant_stores (
    id TEXT COLLATE "C" PRIMARY KEY
);
COMMENT ON TABLE tenant_stores IS 'The tenants that may be written to: a row is made with a tenant and goes first when it is dropped';

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

-- search_text is matched by trigrams for words of 3 and more characters, search_prefixes (the first one and two
-- characters of every word) for shorter ones.
CREATE TABLE users (
    tenant_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    email TEXT COLLATE "C" NOT NULL,
    email_key TEXT COLLATE "C" NOT NULL,
    email_verified BOOLEAN NOT NULL,
    username TEXT COLLATE "C",
    username_key TEXT COLLATE "C",
    name TEXT COLLATE "C",
    name_key TEXT COLLATE "C",
    phone TEXT COLLATE "C",
    phone_verified BOOLEAN NOT NULL,
    avatar_url TEXT COLLATE "C",
    external_id TEXT COLLATE "C",
    role TEXT COLLATE "C" NOT NULL,
    disabled BOOLEAN NOT NULL,
    disabled_at BIGINT,
    disabled_by TEXT COLLATE "C",
    disabled_reason TEXT COLLATE "C",
    banned_at BIGINT,
    banned_by TEXT COLLATE "C",
    banned_until BIGINT,
    ban_reason TEXT COLLATE "C",
    locked_at BIGINT,
    locked_until BIGINT,
    invited_at BIGINT,
    deleted_at BIGINT,
    deleted_by TEXT COLLATE "C",
    deleted_reason TEXT COLLATE "C",
    password_hash TEXT COLLATE "C",
    password_reset_required BOOLEAN NOT NULL,
    mfa_enrolled BOOLEAN NOT NULL,
    public_metadata TEXT COLLATE "C" NOT NULL,
    private_metadata TEXT COLLATE "C" NOT NULL,
    search_text TEXT COLLATE "C" NOT NULL,
    search_prefixes TEXT[] COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    last_sign_in_at BIGINT,
    last_active_at BIGINT,
    generation BIGINT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT users_email_key_key UNIQUE (tenant_id, email_key),
    CONSTRAINT users_username_key_key UNIQUE (tenant_id, username_key),
    CONSTRAINT users_external_id_key UNIQUE (tenant_id, external_id)
);
CREATE INDEX users_name ON users (tenant_id, name_key, id);
CREATE INDEX users_last_sign_in ON users (tenant_id, last_sign_in_at, id);
CREATE INDEX users_last_active ON users (tenant_id, last_active_at, id);
CREATE INDEX users_created ON users (tenant_id, created_at, id);
CREATE INDEX users_role ON users (tenant_id, role, created_at, id);
CREATE INDEX users_disabled ON users (tenant_id, created_at, id) WHERE disabled;
CREATE INDEX users_banned ON users (tenant_id, created_at, id) WHERE banned_at IS NOT NULL;
CREATE INDEX users_locked ON users (tenant_id, locked_until) WHERE locked_until IS NOT NULL;
CREATE INDEX users_pending ON users (tenant_id, created_at, id)
WHERE invited_at IS NOT NULL AND last_sign_in_at IS NULL;
CREATE INDEX users_deleted ON users (tenant_id, created_at, id) WHERE deleted_at IS NOT NULL;
-- These two hold the words of all tenants together; the planner combines them with the indexes by tenant.
CREATE INDEX users_search_text ON users USING gin (search_text gin_trgm_ops);
CREATE INDEX users_search_prefixes ON users USING gin (search_prefixes);
ALTER TABLE users ALTER COLUMN search_text SET STATISTICS 1000;

-- facet: total, disabled, mfa_enrolled, email_verified, role:<name>. Users in the recycle bin are not counted.
CREATE TABLE user_counters (
    tenant_id TEXT COLLATE "C" NOT NULL,
    facet TEXT COLLATE "C" NOT NULL,
    users BIGINT NOT NULL,
    CONSTRAINT user_counters_facet_key UNIQUE (tenant_id, facet)
);

-- Changes to the counters, appended by every command (one row updated in place would queue the writers) and folded into
-- user_counters by the worker. A counter is its row plus its deltas.
CREATE TABLE user_counter_deltas (
    tenant_id TEXT COLLATE "C" NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    facet TEXT COLLATE "C" NOT NULL,
    users BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

CREATE TABLE roles (
    tenant_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C",
    permissions TEXT COLLATE "C" NOT NULL,
    privileged BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT roles_name_key UNIQUE (tenant_id, name)
);

CREATE TABLE organizations (
    tenant_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

CREATE TABLE memberships (
    tenant_id TEXT COLLATE "C" NOT NULL,
    organization_id TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    role TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT memberships_organization_id_user_id_key UNIQUE (tenant_id, organization_id, user_id)
);
CREATE INDEX memberships_user ON memberships (tenant_id, user_id, organization_id);

CREATE TABLE mfa_factors (
    tenant_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    type TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C",
    confirmed_at BIGINT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX mfa_factors_user ON mfa_factors (tenant_id, user_id);

-- access_expires_at is when the last access token made for the session stops passing a signature-only verifier.
CREATE TABLE sessions (
    tenant_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    access_expires_at BIGINT NOT NULL,
    revoked_at BIGINT,
    revoked_reason TEXT COLLATE "C",
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX sessions_user ON sessions (tenant_id, user_id) WHERE revoked_at IS NULL;
