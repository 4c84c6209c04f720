"""Flask: a decorator of views, below their route.

verifier = Verifier(tenant_id="tnt_01H...")

@app.get("/me")
@require_user(verifier)
def me() -> dict[str, str]:
return {"id": current_user().user_id}
"""

from collections.abc import Callable, Collection
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import Response, current_app, g, jsonify, request

from hellojohn.integrations._guard import Refusal, admit, requirements_of
from hellojohn.verify import Verified, Verifier

P = ParamSpec("P")
R = TypeVar("R")


def require_user(
    verifier: Verifier,
    *,
    role: str | Collection[str] | None = None,
    refuse_impersonated: bool = False,
    refuse_read_only: bool = False,
) -> Callable[[Callable[P, R]], Callable[P, R | Response]]:
    """Return a decorator that lets users in. Who is turned away gets 401, 403 or 503 with a body as the API's errors.

    `role` is one, or several of which any will do. `refuse_impersonated` is for what only the user may do: payments,
    consent, credentials; `refuse_read_only` for whatever writes.
    """
    requirements = requirements_of(role, refuse_impersonated=refuse_impersonated, refuse_read_only=refuse_read_only)

    def decorate(view: Callable[P, R]) -> Callable[P, R | Response]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R | Response:
            admitted = admit(verifier, request.headers.get("Authorization"), requirements)
            if isinstance(admitted, Refusal):
                refused = jsonify(admitted.body)
                refused.status_code = admitted.status
                refused.headers.update(admitted.headers)
                return refused
            g.hellojohn_user = admitted
            called: R = current_app.ensure_sync(view)(*args, **kwargs)
            return called

        return guarded

    return decorate


def current_user() -> Verified:
    """Return the user of the request. RuntimeError in a view that requires none."""
    user: Verified | None = g.get("hellojohn_user")
    if user is None:
        raise RuntimeError("the view has no @require_user")
    return user
