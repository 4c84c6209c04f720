-- The address that a link makes the user's, sealed; only links that change one have it.
ALTER TABLE action_tokens ADD COLUMN sealed_email BYTEA;
