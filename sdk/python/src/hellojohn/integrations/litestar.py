"""Litestar: a guard of routes, controllers or the whole app.

verifier = AsyncVerifier(tenant_id="tnt_01H...")

@get("/me", guards=[require_user(verifier)])
async def me(request: Request) -> dict[str, str]:
return {"id": current_user(request).user_id}
"""

from collections.abc import Awaitable, Callable, Collection
from typing import Any, Final, TypeAlias

from litestar.connection import ASGIConnection
from litestar.exceptions import HTTPException
from litestar.handlers import BaseRouteHandler

from hellojohn.integrations._guard import Refusal, admit_async, requirements_of
from hellojohn.verify import AsyncVerifier, Verified, Verifier

Connection: TypeAlias = ASGIConnection[Any, Any, Any, Any]
_KEY: Final = "hellojohn_user"


def require_user(
    verifier: AsyncVerifier | Verifier,
    *,
    role: str | Collection[str] | None = None,
    refuse_impersonated: bool = False,
    refuse_read_only: bool = False,
) -> Callable[[Connection, BaseRouteHandler], Awaitable[None]]:
    """Return a guard that lets users in. Who is turned away gets 401, 403 or 503, with the code in `extra`.

    `role` is one, or several of which any will do. `refuse_impersonated` is for what only the user may do: payments,
    consent, credentials; `refuse_read_only` for whatever writes.
    """
    requirements = requirements_of(role, refuse_impersonated=refuse_impersonated, refuse_read_only=refuse_read_only)

    async def guard(connection: Connection, _: BaseRouteHandler) -> None:
        admitted = await admit_async(verifier, connection.headers.get("Authorization"), requirements)
        if isinstance(admitted, Refusal):
            raise HTTPException(
                status_code=admitted.status,
                detail=admitted.message,
                headers=admitted.headers,
                extra={"code": admitted.code},
            )
        connection.state[_KEY] = admitted

    return guard


def current_user(connection: Connection) -> Verified:
    """Return the user of a request. RuntimeError on a route that requires none."""
    user: Verified | None = connection.state.get(_KEY)
    if user is None:
        raise RuntimeError("the route has no require_user among its guards")
    return user
