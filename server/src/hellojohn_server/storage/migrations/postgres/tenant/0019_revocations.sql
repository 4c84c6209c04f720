-- What verifiers are to refuse, each until no token it concerns can still be valid. xid is the transaction that wrote the row: with the
-- snapshot of a read it tells what that read did not see, in whatever order transactions commit.
CREATE TABLE revocations (
    tenant_id TEXT COLLATE "C" NOT NULL,
    xid XID8 NOT NULL DEFAULT pg_current_xact_id(),
    seq BIGINT GENERATED ALWAYS AS IDENTITY,
    type TEXT COLLATE "C" NOT NULL CHECK (type IN ('session', 'signing_key', 'tenant', 'user')),
    subject_id TEXT COLLATE "C" NOT NULL,
    gen_below BIGINT,
    revoked_at BIGINT NOT NULL,
    forget_at BIGINT NOT NULL,
    CONSTRAINT revocations_xid_seq_key PRIMARY KEY (tenant_id, xid, seq)
);
-- The worker's question whose rows are due is put across tenants.
CREATE INDEX revocations_forget_at ON revocations (forget_at, tenant_id);
