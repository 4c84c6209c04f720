-- Of passkeys: the credential's id in base64url, its public key (COSE, RFC 9052), and how often the authenticator says it was used.
ALTER TABLE mfa_factors ADD COLUMN credential_id TEXT;
ALTER TABLE mfa_factors ADD COLUMN public_key BLOB;
ALTER TABLE mfa_factors ADD COLUMN sign_count INTEGER;
