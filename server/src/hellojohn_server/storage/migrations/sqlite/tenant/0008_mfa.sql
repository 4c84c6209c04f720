-- secret: what an authenticator app's codes are made of, sealed. last_step: the time step of the last code that was taken.
ALTER TABLE mfa_factors ADD COLUMN secret BLOB;
ALTER TABLE mfa_factors ADD COLUMN last_step INTEGER;
ALTER TABLE mfa_factors ADD COLUMN last_used_at INTEGER;
CREATE INDEX mfa_factors_pending ON mfa_factors (created_at) WHERE confirmed_at IS NULL;

-- The backup codes that are left, as keyed hashes: one that is used is deleted.
CREATE TABLE mfa_backup_codes (
    seq INTEGER PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    code_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (user_id, code_hash)
);

-- Wrong codes of a user within a while.
CREATE TABLE mfa_failures (
    seq INTEGER PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    user_id TEXT NOT NULL UNIQUE,
    failures INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
);
CREATE INDEX mfa_failures_expires_at ON mfa_failures (expires_at);

-- Sign-ins that wait for their second step. challenge_hash: SHA-256 of what the client keeps. password_mark: SHA-256 of the
-- stored hash of the password that was given.
CREATE TABLE mfa_challenges (
    seq INTEGER PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    challenge_hash BLOB NOT NULL UNIQUE,
    user_id TEXT NOT NULL,
    generation INTEGER NOT NULL,
    password_mark BLOB NOT NULL,
    expires_at INTEGER NOT NULL
);
CREATE INDEX mfa_challenges_user ON mfa_challenges (user_id);
CREATE INDEX mfa_challenges_expires_at ON mfa_challenges (expires_at);
