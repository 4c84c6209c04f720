-- Mail that waits, was sent, or was given up. sealed_values: what its text is made of, with the secret of its link; NULL once
-- it was sent. next_attempt_at: when somebody may take it (again); NULL: nobody will. claim: who is sending it now.
CREATE TABLE emails (
    tenant_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    template TEXT COLLATE "C" NOT NULL,
    to_address TEXT COLLATE "C" NOT NULL,
    address_key TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C",
    sealed_values BYTEA,
    status TEXT COLLATE "C" NOT NULL,
    attempts BIGINT NOT NULL,
    next_attempt_at BIGINT,
    give_up_at BIGINT NOT NULL,
    claim TEXT COLLATE "C",
    last_error TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    sent_at BIGINT,
    purge_at BIGINT NOT NULL,
    CONSTRAINT emails_id_key UNIQUE (tenant_id, id)
);
CREATE INDEX emails_of_user ON emails (tenant_id, user_id, id) WHERE user_id IS NOT NULL;
CREATE INDEX emails_status ON emails (tenant_id, status, id);
CREATE INDEX emails_address ON emails (tenant_id, address_key);
CREATE INDEX emails_next_attempt_at ON emails (next_attempt_at, tenant_id) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX emails_purge_at ON emails (purge_at, tenant_id);
