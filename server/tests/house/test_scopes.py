"""What an operation needs is declared at its route and stands again in scopes.toml, for a person to agree to."""

import pkgutil
import tomllib
from collections.abc import Iterator
from importlib import import_module
from inspect import getsource
from pathlib import Path
from typing import Any, Final

import hellojohn_server
from hellojohn_server.http import router
from hellojohn_server.kit.principal import CredentialKind
from hellojohn_server.kit.rate_limits import Limit
from hellojohn_server.kit.routing import PUBLIC, Impersonation, Method, Route, routes_of
from hellojohn_server.kit.scopes import Scope

TABLE: Final = Path(__file__).with_name("scopes.toml")


def _routes() -> Iterator[type]:
    """Yield every class of operations."""
    for found in pkgutil.walk_packages(hellojohn_server.__path__, "hellojohn_server."):
        if found.name.split(".")[1] in {"features", "http"}:
            for value in vars(import_module(found.name)).values():
                if isinstance(value, type) and value.__module__ == found.name and value.__name__.endswith("Routes"):
                    yield value


def _declared() -> Iterator[Route]:
    for routes in _routes():
        yield from (declared for declared, _ in routes_of(object.__new__(routes)))


def _needs(declared: Route) -> dict[str, Any]:
    needs: dict[str, Any] = {"credentials": sorted(kind.value for kind in declared.credentials)}
    if declared.scope is not None:
        needs["scope"] = declared.scope.value
    if declared.conditional_scopes:
        needs["sometimes"] = sorted(scope.value for scope in declared.conditional_scopes)
    if declared.impersonation is not Impersonation.REFUSED:
        needs["impersonation"] = declared.impersonation.value
    if declared.limit is not (Limit.READS if declared.method is Method.GET else Limit.WRITES):
        needs["limit"] = declared.limit.value
    if declared.enrolling:
        needs["enrolling"] = True
    return needs


def _table() -> dict[str, dict[str, Any]]:
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


def test_every_operation_needs_what_the_table_says() -> None:
    declared = {f"{one.method.value} {one.path}": _needs(one) for one in _declared()}
    assert declared == _table()


def test_the_table_names_only_scopes_and_credentials_that_exist() -> None:
    for operation, needs in _table().items():
        scopes = {scope.value for scope in Scope}
        assert {needs.get("scope", Scope.USERS_READ.value), *needs.get("sometimes", ())} <= scopes, operation
        assert set(needs["credentials"]) <= {kind.value for kind in CredentialKind}, operation


def test_no_route_is_declared_twice() -> None:
    declared = [(one.method, one.path) for one in _declared()]
    assert len(declared) == len(set(declared))


def test_every_class_of_operations_is_served() -> None:
    served = getsource(router.routers)
    assert [routes.__name__ for routes in _routes() if f"{routes.__name__}(" not in served] == []


def test_what_needs_no_credential_is_no_operation_on_users() -> None:
    for one in _declared():
        assert one.credentials != PUBLIC or not one.path.startswith("/v1/"), one.path
