"""Which endpoint a request's method and path lead to."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeAlias

import msgspec

from hellojohn_server.http.answers import Outgoing
from hellojohn_server.http.call import Call
from hellojohn_server.kit.errors import MethodNotAllowed, NotFound

Serve: TypeAlias = Callable[[Call, Any], Awaitable[Outgoing]]
"""Answers a call, of which it may read the body through the second argument, the `receive` of ASGI."""


class Endpoint(msgspec.Struct, frozen=True):
    """What is served to a method at a path. In the path each {name} stands for one segment, whatever it is."""

    method: str
    path: str
    serve: Serve


class _Node:
    """A place in the tree of segments: what is below it, and which endpoints are at it."""

    __slots__ = ("below", "below_any", "endpoints")

    def __init__(self) -> None:
        self.below: dict[str, _Node] = {}
        self.below_any: _Node | None = None
        self.endpoints: dict[str, tuple[Endpoint, tuple[str, ...]]] = {}


class RoutingTable:
    """Endpoints by path and method.

    A path without names goes before one with names that would lead there too; among the latter, a segment that is
    written out goes before a name, and there is no way back from it.
    """

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        """Raise ValueError when two are served to one method at one path."""
        self._plain: dict[str, _Node] = {}
        self._root = _Node()
        for endpoint in endpoints:
            self._add(endpoint)

    def find(self, method: str, path: str) -> tuple[Endpoint, dict[str, str]]:
        """Return what is served, and the segments of `path` that its names stand for. NotFound, MethodNotAllowed."""
        values: list[str] = []
        node = self._plain.get(path)
        if node is None:
            node = self._root
            for segment in path.split("/"):
                following = node.below.get(segment)
                if following is None:
                    following = node.below_any
                    if following is None or not segment:
                        raise NotFound
                    values.append(segment)
                node = following
        found = node.endpoints.get(method)
        if found is None:
            if not node.endpoints:
                raise NotFound
            raise MethodNotAllowed(methods_of(node.endpoints))
        endpoint, names = found
        return endpoint, dict(zip(names, values, strict=True))

    def _add(self, endpoint: Endpoint) -> None:
        names: list[str] = []
        if "{" not in endpoint.path:
            node = self._plain.setdefault(endpoint.path, _Node())
        else:
            node = self._root
            for segment in endpoint.path.split("/"):
                if segment.startswith("{"):
                    names.append(segment[1:-1])
                    node.below_any = node.below_any or _Node()
                    node = node.below_any
                else:
                    node = node.below.setdefault(segment, _Node())
        if endpoint.method in node.endpoints:
            raise ValueError(f"{endpoint.method} {endpoint.path} is declared twice")
        node.endpoints[endpoint.method] = endpoint, tuple(names)


def methods_of(methods: Iterable[str]) -> list[str]:
    """Return the methods of a path as Allow names them (RFC 9110 section 10.2.1), with HEAD where there is GET."""
    named = set(methods)
    return sorted(named | {"HEAD"} if "GET" in named else named)
