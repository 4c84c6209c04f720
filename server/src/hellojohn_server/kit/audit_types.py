"""The built-in types of audit entries. docs/audit.md says when each is written."""

from enum import StrEnum


class AuditType(StrEnum):
    """What an audit entry says happened: object.past-participle."""

    API_KEY_CREATED = "api_key.created"
    API_KEY_REVOKED = "api_key.revoked"
    OPERATION_DENIED = "operation.denied"
    TENANT_CREATED = "tenant.created"
    TENANT_DELETED = "tenant.deleted"
    TENANT_RESUMED = "tenant.resumed"
    TENANT_SUSPENDED = "tenant.suspended"
    TENANT_UPDATED = "tenant.updated"
    USER_CREATED = "user.created"
    USER_DISABLED = "user.disabled"
    USER_ENABLED = "user.enabled"
    USER_UPDATED = "user.updated"
    USERS_BULK_DISABLED = "users.bulk_disabled"


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
    OPERATION = "operation"
    TENANT = "tenant"
    USER = "user"
