-- Users in the recycle bin are in the text indexes under their number with a minus: nobody who is found has to be looked
-- up in the bin, and the bin is searched alone.
DROP TRIGGER users_inserted;
DROP TRIGGER users_updated;
DROP TRIGGER users_deleted_from_search;
CREATE TRIGGER users_inserted AFTER INSERT ON users
BEGIN
    INSERT INTO users_trigrams (rowid, search_text)
    VALUES (iif(new.deleted_at IS NULL, new.seq, -new.seq), new.search_text);
    INSERT INTO users_prefixes (rowid, search_prefixes)
    VALUES (iif(new.deleted_at IS NULL, new.seq, -new.seq), new.search_prefixes);
END;
CREATE TRIGGER users_updated AFTER UPDATE OF search_text, search_prefixes, deleted_at ON users
WHEN new.search_text <> old.search_text OR (new.deleted_at IS NULL) <> (old.deleted_at IS NULL)
BEGIN
    DELETE FROM users_trigrams WHERE rowid = iif(old.deleted_at IS NULL, old.seq, -old.seq);
    DELETE FROM users_prefixes WHERE rowid = iif(old.deleted_at IS NULL, old.seq, -old.seq);
    INSERT INTO users_trigrams (rowid, search_text)
    VALUES (iif(new.deleted_at IS NULL, new.seq, -new.seq), new.search_text);
    INSERT INTO users_prefixes (rowid, search_prefixes)
    VALUES (iif(new.deleted_at IS NULL, new.seq, -new.seq), new.search_prefixes);
END;
CREATE TRIGGER users_deleted_from_search AFTER DELETE ON users
BEGIN
    DELETE FROM users_trigrams WHERE rowid = iif(old.deleted_at IS NULL, old.seq, -old.seq);
    DELETE FROM users_prefixes WHERE rowid = iif(old.deleted_at IS NULL, old.seq, -old.seq);
END;
DELETE FROM users_trigrams WHERE rowid IN (SELECT seq FROM users WHERE deleted_at IS NOT NULL);
DELETE FROM users_prefixes WHERE rowid IN (SELECT seq FROM users WHERE deleted_at IS NOT NULL);
INSERT INTO users_trigrams (rowid, search_text) SELECT -seq, search_text FROM users WHERE deleted_at IS NOT NULL;
INSERT INTO users_prefixes (rowid, search_prefixes) SELECT -seq, search_prefixes FROM users WHERE deleted_at IS NOT NULL;

-- The index of a mark says what else holds for those who have it, so that no other has to be asked.
DROP INDEX users_role;
DROP INDEX users_disabled;
DROP INDEX users_banned;
DROP INDEX users_pending;
DROP INDEX users_deleted;
DROP INDEX users_lock_marks;
DROP INDEX users_mfa;
DROP INDEX users_unverified;
DROP INDEX users_last_active;
CREATE INDEX users_role ON users (role, seq, deleted_at, tenant_id);
CREATE INDEX users_disabled ON users (
    seq, deleted_at, disabled, banned_at, banned_until, locked_until, mfa_enrolled, email_verified, created_at, tenant_id
) WHERE disabled;
CREATE INDEX users_banned ON users (
    seq, deleted_at, disabled, banned_at, banned_until, locked_until, mfa_enrolled, email_verified, created_at, tenant_id
) WHERE banned_at IS NOT NULL;
CREATE INDEX users_pending ON users (
    seq, deleted_at, disabled, banned_at, banned_until, locked_until, mfa_enrolled, email_verified, created_at, tenant_id
) WHERE invited_at IS NOT NULL AND last_sign_in_at IS NULL;
CREATE INDEX users_deleted ON users (
    seq, deleted_at, disabled, banned_at, banned_until, locked_until, mfa_enrolled, email_verified, created_at, tenant_id
) WHERE deleted_at IS NOT NULL;
CREATE INDEX users_lock_marks ON users (
    seq, deleted_at, disabled, banned_at, banned_until, locked_until, mfa_enrolled, email_verified, created_at, tenant_id
) WHERE locked_until IS NOT NULL;
CREATE INDEX users_mfa ON users (
    seq, deleted_at, disabled, banned_at, banned_until, locked_until, mfa_enrolled, email_verified, created_at, tenant_id
) WHERE mfa_enrolled;
CREATE INDEX users_unverified ON users (
    seq, deleted_at, disabled, banned_at, banned_until, locked_until, mfa_enrolled, email_verified, created_at, tenant_id
) WHERE NOT email_verified;
CREATE INDEX users_last_active ON users (last_active_at, deleted_at, tenant_id) WHERE last_active_at IS NOT NULL;
