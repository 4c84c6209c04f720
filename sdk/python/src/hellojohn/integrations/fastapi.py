"""FastAPI: a dependency that is the user, or turns whoever calls away.

verifier = AsyncVerifier(tenant_id="tnt_01H...")
CurrentUser = Annotated[Verified, Depends(require_user(verifier))]

@app.get("/me")
async def me(user: CurrentUser) -> dict[str, str]: ...
"""

from collections.abc import Awaitable, Callable, Collection
from typing import Annotated, Final

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPBearer

from hellojohn.integrations._guard import Refusal, admit_async, requirements_of
from hellojohn.verify import AsyncVerifier, Verified, Verifier

_SCHEME: Final = HTTPBearer(auto_error=False, bearerFormat="JWT", description="An access token of HelloJohn")


def require_user(
    verifier: AsyncVerifier | Verifier,
    *,
    role: str | Collection[str] | None = None,
    refuse_impersonated: bool = False,
    refuse_read_only: bool = False,
) -> Callable[..., Awaitable[Verified]]:
    """Return a dependency that gives the user. Who is turned away gets 401, 403 or 503 with code and message as detail.

    `role` is one, or several of which any will do. `refuse_impersonated` is for what only the user may do: payments,
    consent, credentials; `refuse_read_only` for whatever writes.
    """
    requirements = requirements_of(role, refuse_impersonated=refuse_impersonated, refuse_read_only=refuse_read_only)

    async def user(request: Request, _: Annotated[object, Depends(_SCHEME)]) -> Verified:
        admitted = await admit_async(verifier, request.headers.get("Authorization"), requirements)
        if isinstance(admitted, Refusal):
            detail = {"code": admitted.code, "message": admitted.message}
            raise HTTPException(admitted.status, detail, admitted.headers)
        return admitted

    return user
