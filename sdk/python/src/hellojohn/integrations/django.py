"""Django: a decorator of views, synchronous or not.

    verifier = Verifier(tenant_id="tnt_01H...")

    @require_user(verifier)
    def me(request):
        return JsonResponse({"id": current_user(request).user_id})

For views that are classes there is `method_decorator(require_user(verifier), name="dispatch")`.
"""

from collections.abc import Callable, Collection
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, TypeAlias

from django.http import JsonResponse

from hellojohn.integrations._guard import Refusal, Requirements, admit, admit_async, requirements_of
from hellojohn.verify import Verified, Verifier

View: TypeAlias = Callable[..., Any]


def require_user(
    verifier: Verifier,
    *,
    role: str | Collection[str] | None = None,
    refuse_impersonated: bool = False,
    refuse_read_only: bool = False,
) -> Callable[[View], View]:
    """Return a decorator that lets users in. Who is turned away gets 401, 403 or 503 with a body as the API's errors.

    `role` is one, or several of which any will do. `refuse_impersonated` is for what only the user may do: payments,
    consent, credentials; `refuse_read_only` for whatever writes.
    """
    requirements = requirements_of(role, refuse_impersonated=refuse_impersonated, refuse_read_only=refuse_read_only)

    def decorate(view: View) -> View:
        return (_guarded_async if iscoroutinefunction(view) else _guarded)(view, verifier, requirements)

    return decorate


def current_user(request: Any) -> Verified:
    """Return the user of a request. RuntimeError in a view that requires none."""
    user: Verified | None = getattr(request, "hellojohn_user", None)
    if user is None:
        raise RuntimeError("the view has no @require_user")
    return user


def _guarded(view: View, verifier: Verifier, requirements: Requirements) -> View:
    @wraps(view)
    def guarded(request: Any, *args: Any, **kwargs: Any) -> Any:
        admitted = admit(verifier, request.headers.get("Authorization"), requirements)
        if isinstance(admitted, Refusal):
            return _answer(admitted)
        request.hellojohn_user = admitted
        return view(request, *args, **kwargs)

    return guarded


def _guarded_async(view: View, verifier: Verifier, requirements: Requirements) -> View:
    @wraps(view)
    async def guarded(request: Any, *args: Any, **kwargs: Any) -> Any:
        admitted = await admit_async(verifier, request.headers.get("Authorization"), requirements)
        if isinstance(admitted, Refusal):
            return _answer(admitted)
        request.hellojohn_user = admitted
        return await view(request, *args, **kwargs)

    return guarded


def _answer(refusal: Refusal) -> Any:
    return JsonResponse(refusal.body, status=refusal.status, headers=refusal.headers)
