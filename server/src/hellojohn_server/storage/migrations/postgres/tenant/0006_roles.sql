-- scope: 'tenant' for a role of users, 'organization' for one of members. A name is of one role, whatever its scope.
ALTER TABLE roles ADD COLUMN display_name TEXT COLLATE "C";
ALTER TABLE roles ADD COLUMN scope TEXT COLLATE "C" NOT NULL DEFAULT 'tenant';

CREATE INDEX memberships_role ON memberships (tenant_id, role, organization_id, user_id);
