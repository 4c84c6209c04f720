-- The organization that the user of the session is active in, and as what.
ALTER TABLE sessions ADD COLUMN organization_id TEXT COLLATE "C";
ALTER TABLE sessions ADD COLUMN organization_role TEXT COLLATE "C";
CREATE INDEX sessions_organization ON sessions (tenant_id, organization_id, user_id) WHERE organization_id IS NOT NULL;
