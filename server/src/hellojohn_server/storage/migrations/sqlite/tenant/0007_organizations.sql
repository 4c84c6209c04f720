-- name_key is the folded name. What is here already has come with demo data.
ALTER TABLE organizations ADD COLUMN slug TEXT;
ALTER TABLE organizations ADD COLUMN name_key TEXT NOT NULL DEFAULT '';
ALTER TABLE organizations ADD COLUMN metadata TEXT NOT NULL DEFAULT '{}';
UPDATE organizations SET slug = lower(replace(id, '_', '-')), name_key = lower(name);
CREATE UNIQUE INDEX organizations_slug ON organizations (slug);
CREATE INDEX organizations_name ON organizations (name_key, id);
