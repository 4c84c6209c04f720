-- allowed_ips: a JSON list of networks, empty for any address. replaced_by: the key that a rotation made.
ALTER TABLE api_keys ADD COLUMN allowed_ips TEXT NOT NULL DEFAULT '[]';
ALTER TABLE api_keys ADD COLUMN last_used_at INTEGER;
ALTER TABLE api_keys ADD COLUMN replaced_by TEXT;

-- The person whom the answer is about, so that erasing the person destroys it.
ALTER TABLE idempotency_records ADD COLUMN subject_id TEXT;
CREATE INDEX idempotency_records_subject ON idempotency_records (subject_id) WHERE subject_id IS NOT NULL;

-- family_hash is of the part that all refresh tokens of a session share, refresh_hash of the one that is good now: a token
-- of the family with another hash was used before. Both NULL: the session cannot be refreshed.
-- impersonator_*: the credential behind an impersonation; NULL in a session of the user's own.
ALTER TABLE sessions ADD COLUMN family_hash BLOB;
ALTER TABLE sessions ADD COLUMN refresh_hash BLOB;
ALTER TABLE sessions ADD COLUMN amr TEXT NOT NULL DEFAULT '["pwd"]';
ALTER TABLE sessions ADD COLUMN ip_address TEXT;
ALTER TABLE sessions ADD COLUMN user_agent TEXT;
ALTER TABLE sessions ADD COLUMN last_refreshed_at INTEGER;
ALTER TABLE sessions ADD COLUMN revoked_by TEXT;
ALTER TABLE sessions ADD COLUMN impersonator_id TEXT;
ALTER TABLE sessions ADD COLUMN impersonator_type TEXT;
ALTER TABLE sessions ADD COLUMN impersonator_name TEXT;
ALTER TABLE sessions ADD COLUMN impersonator_asserted TEXT;
ALTER TABLE sessions ADD COLUMN impersonation_reason TEXT;
ALTER TABLE sessions ADD COLUMN read_only INTEGER NOT NULL DEFAULT 0;
CREATE INDEX sessions_of_user ON sessions (user_id, id);
CREATE INDEX sessions_expires_at ON sessions (expires_at);
CREATE INDEX sessions_impersonator ON sessions (impersonator_id, id) WHERE impersonator_id IS NOT NULL;

-- Failed sign-ins of an address within a while, whether or not anybody has it. The address itself is not here: a keyed hash.
CREATE TABLE sign_in_failures (
    seq INTEGER PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    address_hash TEXT NOT NULL UNIQUE,
    failures INTEGER NOT NULL,
    first_at INTEGER NOT NULL,
    locked_until INTEGER,
    expires_at INTEGER NOT NULL
);
CREATE INDEX sign_in_failures_expires_at ON sign_in_failures (expires_at);

-- Addresses of users who were erased while banned, as keyed hashes: they stay closed until the ban ends (NULL: never).
CREATE TABLE banned_addresses (
    seq INTEGER PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    address_hash TEXT NOT NULL UNIQUE,
    banned_until INTEGER,
    created_at INTEGER NOT NULL
);
CREATE INDEX banned_addresses_until ON banned_addresses (banned_until) WHERE banned_until IS NOT NULL;

-- The tenant's own settings: one JSON document under the name "config"; without a row everything has its default.
CREATE TABLE tenant_settings (
    seq INTEGER PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    name TEXT NOT NULL UNIQUE,
    document TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL
);

CREATE INDEX users_banned_until ON users (banned_until) WHERE banned_until IS NOT NULL;
CREATE INDEX users_deleted_at ON users (deleted_at) WHERE deleted_at IS NOT NULL;
