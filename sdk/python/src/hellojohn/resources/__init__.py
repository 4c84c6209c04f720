"""The tree of the API."""

from __future__ import annotations

from hellojohn._resource import Resource
from hellojohn._transport import Transport
from hellojohn.resources.admin import Admin
from hellojohn.resources.api_keys import ApiKeys
from hellojohn.resources.audit_logs import AuditLogs
from hellojohn.resources.auth import Auth
from hellojohn.resources.mfa import Mfa
from hellojohn.resources.organizations import Organizations
from hellojohn.resources.revocations import Revocations
from hellojohn.resources.roles import Roles
from hellojohn.resources.server import Server
from hellojohn.resources.sessions import Sessions
from hellojohn.resources.tenants import Tenants
from hellojohn.resources.users import Users


class Resources(Resource):
    """Every resource of the API."""

    def __init__(self, transport: Transport) -> None:
        super().__init__(transport)
        self.admin = Admin(transport)
        self.api_keys = ApiKeys(transport)
        self.audit_logs = AuditLogs(transport)
        self.auth = Auth(transport)
        self.mfa = Mfa(transport)
        self.organizations = Organizations(transport)
        self.revocations = Revocations(transport)
        self.roles = Roles(transport)
        self.server = Server(transport)
        self.sessions = Sessions(transport)
        self.tenants = Tenants(transport)
        self.users = Users(transport)
