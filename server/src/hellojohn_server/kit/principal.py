"""Who is calling, and the circumstances of the call: what every service is given beside its arguments."""

from enum import StrEnum
from typing import Final

import msgspec

from hellojohn_server.kit.addresses import Network
from hellojohn_server.kit.errors import InsufficientScope
from hellojohn_server.kit.idempotency import Idempotency
from hellojohn_server.kit.ids import CONTROL_TENANT_ID
from hellojohn_server.kit.scopes import ALL_SCOPES, Scope, is_granted


class ActorType(StrEnum):
    """Who an audit entry names."""

    API_KEY = "api_key"
    CLI = "cli"
    MASTER_KEY = "master_key"
    OPERATOR = "operator"
    SYSTEM = "system"
    USER = "user"


class CredentialKind(StrEnum):
    """What was presented. CLI and SYSTEM are our own commands and worker: they present nothing."""

    ACCESS_TOKEN = "access_token"
    CLI = "cli"
    MASTER_KEY = "master_key"
    PUBLISHABLE_KEY = "publishable_key"
    SECRET_KEY = "secret_key"
    SYSTEM = "system"


class SessionRef(msgspec.Struct, frozen=True):
    """The session of an access token: whose it is, and whether the user is in it or somebody in the user's place."""

    id: str
    user_id: str
    impersonated: bool = False
    read_only: bool = False
    must_enroll: bool = False
    """Whether the user lacks the second factor that the tenant asks for, and can do nothing but enrol."""


class Principal(msgspec.Struct, frozen=True):
    """An authenticated caller. `tenant_id` is CONTROL_TENANT_ID for a master key.

    With an access token `session` says whose session it is. In an impersonation `id`, `name` and `actor_type` are those
    of the credential behind it, and `asserted` is what that said of the person behind itself.
    `allowed_networks` empty: any address.
    """

    kind: CredentialKind
    actor_type: ActorType
    id: str
    name: str
    tenant_id: str
    scopes: frozenset[str] = frozenset()
    expires_at: int | None = None
    session: SessionRef | None = None
    asserted: str | None = None
    allowed_networks: tuple[Network, ...] = ()

    @property
    def is_impersonating(self) -> bool:
        """Whether this caller acts in a user's place."""
        return self.session is not None and self.session.impersonated

    def may(self, scope: Scope) -> bool:
        """Say whether this caller holds `scope`."""
        return is_granted(self.scopes, scope)

    def require(self, *scopes: Scope) -> None:
        """Raise InsufficientScope naming every one of `scopes` that this caller lacks."""
        missing = [scope for scope in scopes if not self.may(scope)]
        if missing:
            raise InsufficientScope(missing)


class OnBehalfOf(msgspec.Struct, frozen=True):
    """The user in whose place an impersonating caller acts. The Principal stays the real one."""

    id: str
    type: ActorType = ActorType.USER


class Context(msgspec.Struct, frozen=True):
    """One call: who, and how it arrived. `asserted` is X-Acting-Admin: shown, never trusted."""

    principal: Principal
    request_id: str
    ip_address: str | None = None
    user_agent: str | None = None
    asserted: str | None = None
    if_match: int | None = None
    idempotency: Idempotency | None = None
    on_behalf_of: OnBehalfOf | None = None

    @property
    def tenant_id(self) -> str:
        """The tenant that the caller belongs to."""
        return self.principal.tenant_id


_EVERYTHING: Final = frozenset({ALL_SCOPES, Scope.ADMINS_MANAGE.value})


def cli_context(request_id: str, tenant_id: str = CONTROL_TENANT_ID) -> Context:
    """Return the context of an `hj` command on the host: it may do everything, and is recorded as `cli`."""
    return Context(
        principal=Principal(CredentialKind.CLI, ActorType.CLI, "cli", "hj", tenant_id, _EVERYTHING),
        request_id=request_id,
    )


def system_context(request_id: str, tenant_id: str = CONTROL_TENANT_ID) -> Context:
    """Return the context of the service's own work (the worker); recorded as `system`."""
    return Context(
        principal=Principal(CredentialKind.SYSTEM, ActorType.SYSTEM, "system", "system", tenant_id, _EVERYTHING),
        request_id=request_id,
    )
