"""The tree of the API, for an event loop."""

from __future__ import annotations

from hellojohn._async_transport import AsyncTransport
from hellojohn._resource import AsyncResource
from hellojohn.async_resources.admin import AsyncAdmin
from hellojohn.async_resources.api_keys import AsyncApiKeys
from hellojohn.async_resources.audit_logs import AsyncAuditLogs
from hellojohn.async_resources.auth import AsyncAuth
from hellojohn.async_resources.mfa import AsyncMfa
from hellojohn.async_resources.organizations import AsyncOrganizations
from hellojohn.async_resources.revocations import AsyncRevocations
from hellojohn.async_resources.roles import AsyncRoles
from hellojohn.async_resources.server import AsyncServer
from hellojohn.async_resources.sessions import AsyncSessions
from hellojohn.async_resources.tenants import AsyncTenants
from hellojohn.async_resources.users import AsyncUsers


class AsyncResources(AsyncResource):
    """Every resource of the API."""

    def __init__(self, transport: AsyncTransport) -> None:
        super().__init__(transport)
        self.admin = AsyncAdmin(transport)
        self.api_keys = AsyncApiKeys(transport)
        self.audit_logs = AsyncAuditLogs(transport)
        self.auth = AsyncAuth(transport)
        self.mfa = AsyncMfa(transport)
        self.organizations = AsyncOrganizations(transport)
        self.revocations = AsyncRevocations(transport)
        self.roles = AsyncRoles(transport)
        self.server = AsyncServer(transport)
        self.sessions = AsyncSessions(transport)
        self.tenants = AsyncTenants(transport)
        self.users = AsyncUsers(transport)
