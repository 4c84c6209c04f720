-- With detail=full a word is a phrase of trigrams: what is found is exact, and is counted without looking at users' rows.
DROP TABLE users_trigrams;
CREATE VIRTUAL TABLE users_trigrams USING fts5 (
    search_text, content='', contentless_delete=1, detail=full, tokenize='trigram case_sensitive 1'
);
INSERT INTO users_trigrams (rowid, search_text) SELECT seq, search_text FROM users;

-- Marks: what holds for a user, known without the user's row. tenant_id comes last, so that it misleads no plan.
DROP INDEX users_role;
DROP INDEX users_disabled;
DROP INDEX users_banned;
DROP INDEX users_pending;
DROP INDEX users_deleted;
CREATE INDEX users_role ON users (role, seq, tenant_id);
CREATE INDEX users_disabled ON users (seq, tenant_id) WHERE disabled;
CREATE INDEX users_banned ON users (seq, banned_until, tenant_id) WHERE banned_at IS NOT NULL;
CREATE INDEX users_pending ON users (seq, tenant_id) WHERE invited_at IS NOT NULL AND last_sign_in_at IS NULL;
CREATE INDEX users_deleted ON users (seq, tenant_id) WHERE deleted_at IS NOT NULL;
CREATE INDEX users_lock_marks ON users (seq, locked_until, tenant_id) WHERE locked_until IS NOT NULL;
CREATE INDEX users_mfa ON users (seq, tenant_id) WHERE mfa_enrolled;
CREATE INDEX users_unverified ON users (seq, tenant_id) WHERE NOT email_verified;

-- Members in the order of the users' creation. A user's seq never changes.
ALTER TABLE memberships ADD COLUMN user_seq INTEGER;
UPDATE memberships SET user_seq = (SELECT seq FROM users WHERE users.id = memberships.user_id);
CREATE INDEX memberships_newest ON memberships (organization_id, user_seq, tenant_id);
CREATE TRIGGER memberships_inserted AFTER INSERT ON memberships
BEGIN
    UPDATE memberships SET user_seq = (SELECT seq FROM users WHERE users.id = new.user_id) WHERE seq = new.seq;
END;
