-- The single-use secrets of links that were mailed. address_hash: the keyed hash of the address that a link went to.
CREATE TABLE action_tokens (
    tenant_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    purpose TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    token_hash BYTEA NOT NULL,
    address_hash TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    consumed_at BIGINT,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT action_tokens_token_hash_key UNIQUE (tenant_id, token_hash)
);
CREATE INDEX action_tokens_user ON action_tokens (tenant_id, user_id, purpose);
CREATE INDEX action_tokens_expires_at ON action_tokens (expires_at, tenant_id);
