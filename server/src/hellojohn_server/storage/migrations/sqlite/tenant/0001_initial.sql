-- Everything that one tenant owns. The file is the tenant: keys and indexes leave tenant_id out.
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

-- seq is the creation time in milliseconds, or the next free number: newest first is the order of the key, and of the
-- two search indexes, whose row id it is.
CREATE TABLE users (
    seq INTEGER PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL UNIQUE,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL UNIQUE,
    email_verified INTEGER NOT NULL,
    username TEXT,
    username_key TEXT UNIQUE,
    name TEXT,
    name_key TEXT,
    phone TEXT,
    phone_verified INTEGER NOT NULL,
    avatar_url TEXT,
    external_id TEXT UNIQUE,
    role TEXT NOT NULL,
    disabled INTEGER NOT NULL,
    disabled_at INTEGER,
    disabled_by TEXT,
    disabled_reason TEXT,
    banned_at INTEGER,
    banned_by TEXT,
    banned_until INTEGER,
    ban_reason TEXT,
    locked_at INTEGER,
    locked_until INTEGER,
    invited_at INTEGER,
    deleted_at INTEGER,
    deleted_by TEXT,
    deleted_reason TEXT,
    password_hash TEXT,
    password_reset_required INTEGER NOT NULL,
    mfa_enrolled INTEGER NOT NULL,
    public_metadata TEXT NOT NULL,
    private_metadata TEXT NOT NULL,
    search_text TEXT NOT NULL,
    search_prefixes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    last_sign_in_at INTEGER,
    last_active_at INTEGER,
    generation INTEGER NOT NULL,
    version INTEGER NOT NULL
);
CREATE INDEX users_name ON users (name_key, id);
CREATE INDEX users_last_sign_in ON users (last_sign_in_at, id);
CREATE INDEX users_last_active ON users (last_active_at, id);
CREATE INDEX users_created ON users (created_at);
CREATE INDEX users_role ON users (role, seq);
CREATE INDEX users_disabled ON users (seq) WHERE disabled;
CREATE INDEX users_banned ON users (seq) WHERE banned_at IS NOT NULL;
CREATE INDEX users_locked ON users (locked_until) WHERE locked_until IS NOT NULL;
CREATE INDEX users_pending ON users (seq) WHERE invited_at IS NOT NULL AND last_sign_in_at IS NULL;
CREATE INDEX users_deleted ON users (seq) WHERE deleted_at IS NOT NULL;

-- Runs of taken seq numbers, so that the next free one is found without walking them: first <= taken < next. Runs never
-- overlap. A number that was free when it was asked for is in no run until a walk passes over it.
CREATE TABLE user_sequence_runs (
    first INTEGER PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    next INTEGER NOT NULL
);

-- A user who did not get the number of the creation time: everything from that time up to the number given is taken.
-- It becomes one run, joined with the run it began in and with those that the walk passed.
CREATE TRIGGER users_sequence AFTER INSERT ON users WHEN new.seq > new.created_at
BEGIN
    INSERT INTO user_sequence_runs (first, tenant_id, next)
    SELECT
        COALESCE(
            (
                SELECT CASE WHEN next > new.created_at THEN first END
                FROM user_sequence_runs
                WHERE first <= new.created_at
                ORDER BY first DESC
                LIMIT 1
            ),
            new.created_at
        ),
        new.tenant_id,
        MAX(
            new.seq + 1,
            COALESCE(
                (SELECT MAX(next) FROM user_sequence_runs WHERE first > new.created_at AND first <= new.seq),
                new.seq + 1
            )
        )
    WHERE true
    ON CONFLICT (first) DO UPDATE SET next = excluded.next;
    DELETE FROM user_sequence_runs WHERE first > new.created_at AND first <= new.seq;
END;

CREATE VIRTUAL TABLE users_trigrams USING fts5 (
    search_text, content='', contentless_delete=1, detail=none, tokenize='trigram case_sensitive 1'
);
CREATE VIRTUAL TABLE users_prefixes USING fts5 (
    search_prefixes, content='', contentless_delete=1, detail=none, tokenize='ascii'
);

-- The search indexes change with the row, in the same transaction, whichever statement writes it.
CREATE TRIGGER users_inserted AFTER INSERT ON users
BEGIN
    INSERT INTO users_trigrams (rowid, search_text) VALUES (new.seq, new.search_text);
    INSERT INTO users_prefixes (rowid, search_prefixes) VALUES (new.seq, new.search_prefixes);
END;
CREATE TRIGGER users_updated AFTER UPDATE OF search_text, search_prefixes ON users
WHEN new.search_text <> old.search_text
BEGIN
    DELETE FROM users_trigrams WHERE rowid = old.seq;
    DELETE FROM users_prefixes WHERE rowid = old.seq;
    INSERT INTO users_trigrams (rowid, search_text) VALUES (new.seq, new.search_text);
    INSERT INTO users_prefixes (rowid, search_prefixes) VALUES (new.seq, new.search_prefixes);
END;
CREATE TRIGGER users_deleted_from_search AFTER DELETE ON users
BEGIN
    DELETE FROM users_trigrams WHERE rowid = old.seq;
    DELETE FROM users_prefixes WHERE rowid = old.seq;
END;

-- facet: total, disabled, mfa_enrolled, email_verified, role:<name>. Users in the recycle bin are not counted.
CREATE TABLE user_counters (
    seq INTEGER PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    facet TEXT NOT NULL UNIQUE,
    users INTEGER NOT NULL
);

CREATE TABLE roles (
    seq INTEGER PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL UNIQUE,
    description TEXT,
    permissions TEXT NOT NULL,
    privileged INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL
);

CREATE TABLE organizations (
    seq INTEGER PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL
);

CREATE TABLE memberships (
    seq INTEGER PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    role TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (organization_id, user_id)
);
CREATE INDEX memberships_user ON memberships (user_id, organization_id);

CREATE TABLE mfa_factors (
    seq INTEGER PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL UNIQUE,
    user_id TEXT NOT NULL,
    type TEXT NOT NULL,
    name TEXT,
    confirmed_at INTEGER,
    created_at INTEGER NOT NULL
);
CREATE INDEX mfa_factors_user ON mfa_factors (user_id);

-- access_expires_at is when the last access token made for the session stops passing a signature-only verifier.
CREATE TABLE sessions (
    seq INTEGER PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL UNIQUE,
    user_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    access_expires_at INTEGER NOT NULL,
    revoked_at INTEGER,
    revoked_reason TEXT
);
CREATE INDEX sessions_user ON sessions (user_id) WHERE revoked_at IS NULL;
