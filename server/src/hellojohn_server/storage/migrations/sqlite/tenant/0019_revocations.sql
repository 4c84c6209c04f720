-- What verifiers are to refuse, each until no token it concerns can still be valid. There is one writer, so seq is in the order of the
-- commits; the newest row is kept, so that no seq is given twice.
CREATE TABLE revocations (
    seq INTEGER PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    type TEXT NOT NULL CHECK (type IN ('session', 'signing_key', 'tenant', 'user')),
    subject_id TEXT NOT NULL,
    gen_below INTEGER,
    revoked_at INTEGER NOT NULL,
    forget_at INTEGER NOT NULL
);
CREATE INDEX revocations_forget_at ON revocations (forget_at);
