-- Mail that waits, was sent, or was given up. sealed_values: what its text is made of, with the secret of its link; NULL once
-- it was sent. next_attempt_at: when somebody may take it (again); NULL: nobody will. claim: who is sending it now.
CREATE TABLE emails (
    seq INTEGER PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL UNIQUE,
    template TEXT NOT NULL,
    to_address TEXT NOT NULL,
    address_key TEXT NOT NULL,
    user_id TEXT,
    sealed_values BLOB,
    status TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    next_attempt_at INTEGER,
    give_up_at INTEGER NOT NULL,
    claim TEXT,
    last_error TEXT,
    created_at INTEGER NOT NULL,
    sent_at INTEGER,
    purge_at INTEGER NOT NULL
);
CREATE INDEX emails_of_user ON emails (user_id, id) WHERE user_id IS NOT NULL;
CREATE INDEX emails_status ON emails (status, id);
CREATE INDEX emails_address ON emails (address_key);
CREATE INDEX emails_next_attempt_at ON emails (next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX emails_purge_at ON emails (purge_at);
