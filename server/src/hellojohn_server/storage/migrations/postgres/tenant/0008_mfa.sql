-- secret: what an authenticator app's codes are made of, sealed. last_step: the time step of the last code that was taken.
ALTER TABLE mfa_factors ADD COLUMN secret BYTEA;
ALTER TABLE mfa_factors ADD COLUMN last_step BIGINT;
ALTER TABLE mfa_factors ADD COLUMN last_used_at BIGINT;
CREATE INDEX mfa_factors_pending ON mfa_factors (created_at, tenant_id) WHERE confirmed_at IS NULL;

-- The backup codes that are left, as keyed hashes: one that is used is deleted.
CREATE TABLE mfa_backup_codes (
    tenant_id TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    code_hash TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT mfa_backup_codes_user_id_code_hash_key UNIQUE (tenant_id, user_id, code_hash)
);

-- Wrong codes of a user within a while.
CREATE TABLE mfa_failures (
    tenant_id TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    failures BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    CONSTRAINT mfa_failures_user_id_key UNIQUE (tenant_id, user_id)
);
CREATE INDEX mfa_failures_expires_at ON mfa_failures (expires_at, tenant_id);

-- Sign-ins that wait for their second step. challenge_hash: SHA-256 of what the client keeps. password_mark: SHA-256 of the
-- stored hash of the password that was given.
CREATE TABLE mfa_challenges (
    tenant_id TEXT COLLATE "C" NOT NULL,
    challenge_hash BYTEA NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    generation BIGINT NOT NULL,
    password_mark BYTEA NOT NULL,
    expires_at BIGINT NOT NULL,
    CONSTRAINT mfa_challenges_challenge_hash_key UNIQUE (tenant_id, challenge_hash)
);
CREATE INDEX mfa_challenges_user ON mfa_challenges (tenant_id, user_id);
CREATE INDEX mfa_challenges_expires_at ON mfa_challenges (expires_at, tenant_id);
