-- The single-use secrets of links that were mailed. address_hash: the keyed hash of the address that a link went to.
CREATE TABLE action_tokens (
    seq INTEGER PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL UNIQUE,
    purpose TEXT NOT NULL,
    user_id TEXT NOT NULL,
    token_hash BLOB NOT NULL UNIQUE,
    address_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    consumed_at INTEGER
);
CREATE INDEX action_tokens_user ON action_tokens (user_id, purpose);
CREATE INDEX action_tokens_expires_at ON action_tokens (expires_at);
