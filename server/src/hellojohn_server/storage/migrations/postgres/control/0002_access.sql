-- What `hj signing-keys` turns over: Ed25519 keys, the private half sealed. A key signs from signs_from until the next
-- one does, and tokens made with it pass until ends_at (NULL: there is no next one yet).
CREATE TABLE signing_keys (
    id TEXT COLLATE "C" NOT NULL,
    public_key BYTEA NOT NULL,
    sealed_private_key BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    signs_from BIGINT NOT NULL,
    ends_at BIGINT,
    PRIMARY KEY (id)
);

-- allowed_ips: a JSON list of networks, empty for any address. replaced_by: the key that a rotation made.
ALTER TABLE api_keys ADD COLUMN allowed_ips TEXT COLLATE "C" NOT NULL DEFAULT '[]';
ALTER TABLE api_keys ADD COLUMN last_used_at BIGINT;
ALTER TABLE api_keys ADD COLUMN replaced_by TEXT COLLATE "C";

-- The person whom the answer is about, so that erasing the person destroys it.
ALTER TABLE idempotency_records ADD COLUMN subject_id TEXT COLLATE "C";
CREATE INDEX idempotency_records_subject ON idempotency_records (tenant_id, subject_id) WHERE subject_id IS NOT NULL;
