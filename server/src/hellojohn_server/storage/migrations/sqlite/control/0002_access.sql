-- What `hj signing-keys` turns over: Ed25519 keys, the private half sealed. A key signs from signs_from until the next
-- one does, and tokens made with it pass until ends_at (NULL: there is no next one yet).
CREATE TABLE signing_keys (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    public_key BLOB NOT NULL,
    sealed_private_key BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    signs_from INTEGER NOT NULL,
    ends_at INTEGER
);

-- allowed_ips: a JSON list of networks, empty for any address. replaced_by: the key that a rotation made.
ALTER TABLE api_keys ADD COLUMN allowed_ips TEXT NOT NULL DEFAULT '[]';
ALTER TABLE api_keys ADD COLUMN last_used_at INTEGER;
ALTER TABLE api_keys ADD COLUMN replaced_by TEXT;

-- The person whom the answer is about, so that erasing the person destroys it.
ALTER TABLE idempotency_records ADD COLUMN subject_id TEXT;
CREATE INDEX idempotency_records_subject ON idempotency_records (subject_id) WHERE subject_id IS NOT NULL;
