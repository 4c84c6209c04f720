// Written by `python -m tools.sdk`, from sdk/openapi.json and sdk/methods.toml.

export * from "./admin.js";
export * from "./admin-config.js";
export * from "./admin-emails.js";
export * from "./admin-imports.js";
export * from "./admin-jobs.js";
export * from "./admin-plans.js";
export * from "./api-keys.js";
export * from "./audit-logs.js";
export * from "./auth.js";
export * from "./auth-magic-link.js";
export * from "./auth-me.js";
export * from "./auth-mfa.js";
export * from "./auth-organizations.js";
export * from "./auth-passkeys.js";
export * from "./auth-password.js";
export * from "./auth-sessions.js";
export * from "./mfa.js";
export * from "./organizations.js";
export * from "./organizations-invitations.js";
export * from "./organizations-members.js";
export * from "./revocations.js";
export * from "./roles.js";
export * from "./sessions.js";
export * from "./tenants.js";
export * from "./users.js";
