-- Open invitations by mail; token_hash is of the secret in the link. One that is accepted or revoked is deleted.
CREATE TABLE organization_invitations (
    seq INTEGER PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL UNIQUE,
    organization_id TEXT NOT NULL,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    role TEXT NOT NULL,
    token_hash BLOB NOT NULL UNIQUE,
    invited_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    sent_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    UNIQUE (organization_id, email_key)
);
CREATE INDEX organization_invitations_email ON organization_invitations (email_key);
CREATE INDEX organization_invitations_role ON organization_invitations (role);
CREATE INDEX organization_invitations_expires_at ON organization_invitations (expires_at);
