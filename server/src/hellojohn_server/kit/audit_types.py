"""The built-in types of audit entries. docs/audit.md says when each is written."""

from enum import StrEnum


class AuditType(StrEnum):
    """What an audit entry says happened: object.past-participle."""

    API_KEY_CREATED = "api_key.created"
    API_KEY_REVOKED = "api_key.revoked"
    API_KEY_ROTATED = "api_key.rotated"
    CONFIG_UPDATED = "config.updated"
    EMAIL_RESENT = "email.resent"
    EMAIL_UNDELIVERABLE = "email.undeliverable"
    OPERATION_DENIED = "operation.denied"
    ORGANIZATION_CREATED = "organization.created"
    ORGANIZATION_DELETED = "organization.deleted"
    ORGANIZATION_MEMBER_ADDED = "organization.member_added"
    ORGANIZATION_MEMBER_REMOVED = "organization.member_removed"
    ORGANIZATION_MEMBER_UPDATED = "organization.member_updated"
    ORGANIZATION_UPDATED = "organization.updated"
    ROLE_CREATED = "role.created"
    ROLE_DELETED = "role.deleted"
    ROLE_UPDATED = "role.updated"
    SESSION_REFRESH_REUSED = "session.refresh_reused"
    SESSION_REVOKED = "session.revoked"
    SIGNING_KEY_CREATED = "signing_key.created"
    SIGNING_KEY_ROTATED = "signing_key.rotated"
    TENANT_CREATED = "tenant.created"
    TENANT_DELETED = "tenant.deleted"
    TENANT_RESUMED = "tenant.resumed"
    TENANT_SESSIONS_REVOKED = "tenant.sessions_revoked"
    TENANT_SUSPENDED = "tenant.suspended"
    TENANT_UPDATED = "tenant.updated"
    USER_BANNED = "user.banned"
    USER_CREATED = "user.created"
    USER_DELETED = "user.deleted"
    USER_DISABLED = "user.disabled"
    USER_ENABLED = "user.enabled"
    USER_ERASED = "user.erased"
    USER_IMPERSONATED = "user.impersonated"
    USER_LOCKED = "user.locked"
    USER_PASSWORD_CHANGED = "user.password_changed"
    USER_PASSWORD_RESET = "user.password_reset"
    USER_PASSWORD_RESET_FORCED = "user.password_reset_forced"
    USER_PASSWORD_RESET_REQUESTED = "user.password_reset_requested"
    USER_PASSWORD_SET = "user.password_set"
    USER_RESTORED = "user.restored"
    USER_SESSIONS_REVOKED = "user.sessions_revoked"
    USER_SIGN_IN_FAILED = "user.sign_in_failed"
    USER_SIGNED_IN = "user.signed_in"
    USER_SIGNED_OUT = "user.signed_out"
    USER_UNBANNED = "user.unbanned"
    USER_UNLOCKED = "user.unlocked"
    USER_UPDATED = "user.updated"
    USERS_BULK_BANNED = "users.bulk_banned"
    USERS_BULK_DELETED = "users.bulk_deleted"
    USERS_BULK_DISABLED = "users.bulk_disabled"
    USERS_BULK_ENABLED = "users.bulk_enabled"
    USERS_BULK_PASSWORD_RESET_FORCED = "users.bulk_password_reset_forced"
    USERS_BULK_RESTORED = "users.bulk_restored"
    USERS_BULK_SESSIONS_REVOKED = "users.bulk_sessions_revoked"
    USERS_BULK_UNBANNED = "users.bulk_unbanned"


class AuditResult(StrEnum):
    """How the act ended."""

    DENIED = "denied"
    FAILURE = "failure"
    SUCCESS = "success"


class AuditSource(StrEnum):
    """Who wrote the entry: this service, or the application through POST /v1/audit-logs."""

    BUILTIN = "builtin"
    CUSTOM = "custom"


class ResourceType(StrEnum):
    """The kind of thing an entry is about."""

    API_KEY = "api_key"
    EMAIL = "email"
    OPERATION = "operation"
    ORGANIZATION = "organization"
    ROLE = "role"
    SIGNING_KEY = "signing_key"
    TENANT = "tenant"
    USER = "user"
