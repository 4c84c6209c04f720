-- allowed_ips: a JSON list of networks, empty for any address. replaced_by: the key that a rotation made.
ALTER TABLE api_keys ADD COLUMN allowed_ips TEXT COLLATE "C" NOT NULL DEFAULT '[]';
ALTER TABLE api_keys ADD COLUMN last_used_at BIGINT;
ALTER TABLE api_keys ADD COLUMN replaced_by TEXT COLLATE "C";

-- The person whom the answer is about, so that erasing the person destroys it.
ALTER TABLE idempotency_records ADD COLUMN subject_id TEXT COLLATE "C";
CREATE INDEX idempotency_records_subject ON idempotency_records (tenant_id, subject_id) WHERE subject_id IS NOT NULL;

-- family_hash is of the part that all refresh tokens of a session share, refresh_hash of the one that is good now: a token
-- of the family with another hash was used before. Both NULL: the session cannot be refreshed.
-- impersonator_*: the credential behind an impersonation; NULL in a session of the user's own.
ALTER TABLE sessions ADD COLUMN family_hash BYTEA;
ALTER TABLE sessions ADD COLUMN refresh_hash BYTEA;
ALTER TABLE sessions ADD COLUMN amr TEXT COLLATE "C" NOT NULL DEFAULT '["pwd"]';
ALTER TABLE sessions ADD COLUMN ip_address TEXT COLLATE "C";
ALTER TABLE sessions ADD COLUMN user_agent TEXT COLLATE "C";
ALTER TABLE sessions ADD COLUMN last_refreshed_at BIGINT;
ALTER TABLE sessions ADD COLUMN revoked_by TEXT COLLATE "C";
ALTER TABLE sessions ADD COLUMN impersonator_id TEXT COLLATE "C";
ALTER TABLE sessions ADD COLUMN impersonator_type TEXT COLLATE "C";
ALTER TABLE sessions ADD COLUMN impersonator_name TEXT COLLATE "C";
ALTER TABLE sessions ADD COLUMN impersonator_asserted TEXT COLLATE "C";
ALTER TABLE sessions ADD COLUMN impersonation_reason TEXT COLLATE "C";
ALTER TABLE sessions ADD COLUMN read_only BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX sessions_of_user ON sessions (tenant_id, user_id, id);
-- The worker asks across tenants what is due: the time leads here, and in the like indexes below.
CREATE INDEX sessions_expires_at ON sessions (expires_at, tenant_id);
CREATE INDEX sessions_impersonator ON sessions (tenant_id, impersonator_id, id) WHERE impersonator_id IS NOT NULL;

-- Failed sign-ins of an address within a while, whether or not anybody has it. The address itself is not here: a keyed hash.
CREATE TABLE sign_in_failures (
    tenant_id TEXT COLLATE "C" NOT NULL,
    address_hash TEXT COLLATE "C" NOT NULL,
    failures BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    locked_until BIGINT,
    expires_at BIGINT NOT NULL,
    CONSTRAINT sign_in_failures_address_hash_key UNIQUE (tenant_id, address_hash)
);
CREATE INDEX sign_in_failures_expires_at ON sign_in_failures (expires_at, tenant_id);

-- Addresses of users who were erased while banned, as keyed hashes: they stay closed until the ban ends (NULL: never).
CREATE TABLE banned_addresses (
    tenant_id TEXT COLLATE "C" NOT NULL,
    address_hash TEXT COLLATE "C" NOT NULL,
    banned_until BIGINT,
    created_at BIGINT NOT NULL,
    CONSTRAINT banned_addresses_address_hash_key UNIQUE (tenant_id, address_hash)
);
CREATE INDEX banned_addresses_until ON banned_addresses (banned_until, tenant_id) WHERE banned_until IS NOT NULL;

-- The tenant's own settings: one JSON document under the name "config"; without a row everything has its default.
CREATE TABLE tenant_settings (
    tenant_id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    document TEXT COLLATE "C" NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    CONSTRAINT tenant_settings_name_key UNIQUE (tenant_id, name)
);

CREATE INDEX users_banned_until ON users (banned_until, tenant_id) WHERE banned_until IS NOT NULL;
CREATE INDEX users_deleted_at ON users (deleted_at, tenant_id) WHERE deleted_at IS NOT NULL;
CREATE INDEX users_locked_until ON users (locked_until, tenant_id) WHERE locked_until IS NOT NULL;
