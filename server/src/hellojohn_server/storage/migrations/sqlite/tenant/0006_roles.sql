-- scope: 'tenant' for a role of users, 'organization' for one of members. A name is of one role, whatever its scope.
ALTER TABLE roles ADD COLUMN display_name TEXT;
ALTER TABLE roles ADD COLUMN scope TEXT NOT NULL DEFAULT 'tenant';

CREATE INDEX memberships_role ON memberships (role, organization_id, user_id);
