-- How many have a state is read from its index alone, also with another state beside it: what is included is not looked up in rows.
DROP INDEX users_disabled;
CREATE INDEX users_disabled ON users (tenant_id, created_at, id) INCLUDE (deleted_at, mfa_enrolled, email_verified) WHERE disabled;
CREATE INDEX users_mfa ON users (tenant_id, created_at, id) INCLUDE (disabled, email_verified) WHERE mfa_enrolled AND deleted_at IS NULL;
CREATE INDEX users_unverified ON users (tenant_id, created_at, id) INCLUDE (disabled, mfa_enrolled)
WHERE NOT email_verified AND deleted_at IS NULL;
