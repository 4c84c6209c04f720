-- user_counters counts by the day too (86,400,000 ms, in UTC, by its number): created:<day> and active:<day> are users by when they
-- were made and last active; signed_in:<day> and sign_in_failed:<day> are sign-ins, counted from here on.
INSERT INTO user_counters (tenant_id, facet, users)
SELECT tenant_id, 'created:' || (created_at / 86400000), count(*) FROM users
WHERE deleted_at IS NULL GROUP BY tenant_id, created_at / 86400000;
INSERT INTO user_counters (tenant_id, facet, users)
SELECT tenant_id, 'active:' || (last_active_at / 86400000), count(*) FROM users
WHERE deleted_at IS NULL AND last_active_at IS NOT NULL GROUP BY tenant_id, last_active_at / 86400000;
