-- Open invitations by mail; token_hash is of the secret in the link. One that is accepted or revoked is deleted.
CREATE TABLE organization_invitations (
    tenant_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    organization_id TEXT COLLATE "C" NOT NULL,
    email TEXT COLLATE "C" NOT NULL,
    email_key TEXT COLLATE "C" NOT NULL,
    role TEXT COLLATE "C" NOT NULL,
    token_hash BYTEA NOT NULL,
    invited_by TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    sent_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT organization_invitations_organization_id_email_key_key UNIQUE (tenant_id, organization_id, email_key),
    CONSTRAINT organization_invitations_token_hash_key UNIQUE (tenant_id, token_hash)
);
CREATE INDEX organization_invitations_email ON organization_invitations (tenant_id, email_key);
CREATE INDEX organization_invitations_role ON organization_invitations (tenant_id, role);
CREATE INDEX organization_invitations_expires_at ON organization_invitations (expires_at, tenant_id);
