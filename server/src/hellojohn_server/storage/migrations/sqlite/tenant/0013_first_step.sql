-- How the first step of a sign-in that waits for its second was taken (RFC 8176); those of before began with a password.
ALTER TABLE mfa_challenges ADD COLUMN first_step TEXT NOT NULL DEFAULT 'pwd';
