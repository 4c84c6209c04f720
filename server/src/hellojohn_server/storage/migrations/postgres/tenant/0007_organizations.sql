-- name_key is the folded name. What is here already has come with demo data.
ALTER TABLE organizations ADD COLUMN slug TEXT COLLATE "C";
ALTER TABLE organizations ADD COLUMN name_key TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE organizations ADD COLUMN metadata TEXT COLLATE "C" NOT NULL DEFAULT '{}';
UPDATE organizations SET slug = lower(replace(id, '_', '-')), name_key = lower(name);
ALTER TABLE organizations ADD CONSTRAINT organizations_slug_key UNIQUE (tenant_id, slug);
CREATE INDEX organizations_name ON organizations (tenant_id, name_key, id);
