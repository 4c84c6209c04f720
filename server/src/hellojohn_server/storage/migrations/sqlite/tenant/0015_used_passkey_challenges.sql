-- Challenges of sign-ins by passkey alone that were used, until they would have ended: SHA-256 of what the client was given.
CREATE TABLE used_passkey_challenges (
    seq INTEGER PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    challenge_hash BLOB NOT NULL UNIQUE,
    expires_at INTEGER NOT NULL
);
CREATE INDEX used_passkey_challenges_expires_at ON used_passkey_challenges (expires_at);
