-- Challenges of sign-ins by passkey alone that were used, until they would have ended: SHA-256 of what the client was given.
CREATE TABLE used_passkey_challenges (
    tenant_id TEXT COLLATE "C" NOT NULL,
    challenge_hash BYTEA NOT NULL,
    expires_at BIGINT NOT NULL,
    CONSTRAINT used_passkey_challenges_challenge_hash_key UNIQUE (tenant_id, challenge_hash)
);
CREATE INDEX used_passkey_challenges_expires_at ON used_passkey_challenges (expires_at, tenant_id);
