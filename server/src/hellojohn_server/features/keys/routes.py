"""Keys: /v1/api-keys for a tenant's own, and the one way for a master key to make a tenant's first key."""

from hellojohn_server.features.keys.errors import ApiKeyNotActive, ApiKeyNotFound
from hellojohn_server.features.keys.schemas import (
    ApiKeyBody,
    ApiKeyListBody,
    CreateKeyBody,
    ListKeysQuery,
    MadeKeyBody,
    RevokeKeyBody,
    RotateKeyBody,
    key_body,
    made_key_body,
)
from hellojohn_server.features.keys.service import KeyService
from hellojohn_server.features.tenants.errors import TenantNotFound
from hellojohn_server.kit.pagination import InvalidCursor
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.routing import MASTER_KEY, Answer, Method, route
from hellojohn_server.kit.scopes import Scope


class KeyRoutes:
    """API keys."""

    def __init__(self, keys: KeyService) -> None:
        self._keys = keys

    @route(Method.GET, "/v1/api-keys", scope=Scope.KEYS_READ, errors=(InvalidCursor,))
    async def list_api_keys(self, context: Context, query: ListKeysQuery) -> Answer[ApiKeyListBody]:
        """List the tenant's keys, newest first."""
        page = await self._keys.list_keys(context.tenant_id, query)
        now = self._keys.now_ms()
        return Answer(ApiKeyListBody([key_body(key, now) for key in page.rows], page.pagination))

    @route(
        Method.POST,
        "/v1/api-keys",
        scope=Scope.KEYS_WRITE,
        status=201,
        conditional_scopes=(Scope.ADMINS_MANAGE,),
    )
    async def create_api_key(self, context: Context, body: CreateKeyBody) -> Answer[MadeKeyBody]:
        """Make a key.

        The key itself is in this answer and never again. The maker must hold every scope of the new key.
        """
        made = await self._keys.create_key(context, context.tenant_id, body)
        return Answer(made_key_body(made), location=f"/v1/api-keys/{made.api_key.id}")

    @route(Method.GET, "/v1/api-keys/current", any_scope=True)
    async def get_current_api_key(self, context: Context) -> Answer[ApiKeyBody]:
        """Get the key that asks, without the key itself.

        Any secret key may ask about itself.
        """
        key = await self._keys.require_key(context.tenant_id, context.principal.id)
        return Answer(key_body(key, self._keys.now_ms()))

    @route(Method.GET, "/v1/api-keys/{key_id}", scope=Scope.KEYS_READ, errors=(ApiKeyNotFound,))
    async def get_api_key(self, context: Context, key_id: str) -> Answer[ApiKeyBody]:
        """Get a key, without the key itself."""
        key = await self._keys.require_key(context.tenant_id, key_id)
        return Answer(key_body(key, self._keys.now_ms()))

    @route(
        Method.DELETE,
        "/v1/api-keys/{key_id}",
        scope=Scope.KEYS_WRITE,
        status=204,
        errors=(ApiKeyNotFound,),
        conditional_scopes=(Scope.ADMINS_MANAGE,),
    )
    async def revoke_api_key(self, context: Context, key_id: str, body: RevokeKeyBody) -> Answer[None]:
        """Revoke a key: it is refused everywhere from the next request on."""
        await self._keys.revoke_key(context, key_id, body.reason)
        return Answer(None)

    @route(
        Method.POST,
        "/v1/api-keys/{key_id}/rotate",
        scope=Scope.KEYS_WRITE,
        status=201,
        errors=(ApiKeyNotFound, ApiKeyNotActive),
        conditional_scopes=(Scope.ADMINS_MANAGE,),
    )
    async def rotate_api_key(self, context: Context, key_id: str, body: RotateKeyBody) -> Answer[MadeKeyBody]:
        """Make a key in the place of another.

        The new key is in this answer and never again. The old one works on for the overlap.
        """
        made = await self._keys.rotate_key(context, key_id, body)
        return Answer(made_key_body(made), location=f"/v1/api-keys/{made.api_key.id}")

    @route(
        Method.POST,
        "/v1/tenants/{tenant_id}/api-keys",
        credentials=MASTER_KEY,
        status=201,
        errors=(TenantNotFound,),
    )
    async def create_tenant_api_key(self, context: Context, tenant_id: str, body: CreateKeyBody) -> Answer[MadeKeyBody]:
        """Make a key of a tenant, with any scope.

        The key itself is in this answer and never again. The tenant's audit log names the master key as the actor.
        """
        made = await self._keys.create_key(context, tenant_id, body)
        return Answer(made_key_body(made), location=f"/v1/api-keys/{made.api_key.id}")
