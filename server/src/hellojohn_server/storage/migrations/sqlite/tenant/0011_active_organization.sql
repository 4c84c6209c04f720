-- The organization that the user of the session is active in, and as what.
ALTER TABLE sessions ADD COLUMN organization_id TEXT;
ALTER TABLE sessions ADD COLUMN organization_role TEXT;
CREATE INDEX sessions_organization ON sessions (organization_id, user_id) WHERE organization_id IS NOT NULL;
