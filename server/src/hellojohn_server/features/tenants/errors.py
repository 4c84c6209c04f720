"""What is refused about tenants.

NotFound
└── TenantNotFound     404
Forbidden
└── TenantSuspended    403  to every credential of the tenant, until it is resumed
"""

from hellojohn_server.kit.error_codes import ErrorCode
from hellojohn_server.kit.errors import Forbidden, NotFound


class TenantNotFound(NotFound):
    code = ErrorCode.TENANT_NOT_FOUND
    message = "There is no such tenant."


class TenantSuspended(Forbidden):
    code = ErrorCode.TENANT_SUSPENDED
    message = "This tenant is suspended: none of its keys and tokens work until it is resumed."
