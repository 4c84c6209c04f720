-- The times of the failures within the last ten minutes, in place of a number since the first. What was counted is forgotten once;
-- locks stay.
ALTER TABLE sign_in_failures ADD COLUMN failed_at BIGINT[] NOT NULL DEFAULT '{}';
ALTER TABLE sign_in_failures DROP COLUMN failures;
ALTER TABLE sign_in_failures DROP COLUMN first_at;
