"""One HTTP request as the door sees it: the facts that become known on the way, and what the log says of it."""

from typing import Any

from hellojohn_server.kit.principal import Principal
from hellojohn_server.kit.rate_limits import Standing
from hellojohn_server.kit.routing import Disconnected


class Call:
    """The facts of one request.

    `method` is as it was sent. `route` is the template of the path, `path_values` what stands in place of its names;
    `status` is 0 until an answer has begun; `standing` is where the caller stands with the limit that the request
    counted for. `origin` is that of the page that may read the answer, if one may. `is_upload` says that the body is
    read while it comes in, which may take any time.
    `headers` has the last value of each header by its lower-case name; `repeated` says that some header came twice.
    """

    __slots__ = (
        "client_address",
        "error_code",
        "headers",
        "is_late",
        "is_upload",
        "method",
        "origin",
        "path_values",
        "principal",
        "repeated",
        "request_id",
        "route",
        "scope",
        "standing",
        "started",
        "status",
    )

    def __init__(self, scope: Any, request_id: str, headers: dict[bytes, bytes]) -> None:
        self.scope = scope
        self.method: str = scope["method"]
        self.request_id = request_id
        self.headers = headers
        self.repeated = len(headers) != len(scope["headers"])
        self.client_address: str | None = None
        self.origin: bytes | None = None
        self.principal: Principal | None = None
        self.route: str | None = None
        self.path_values: dict[str, str] = {}
        self.error_code: str | None = None
        self.standing: Standing | None = None
        self.started = 0.0
        self.status = 0
        self.is_late = False
        self.is_upload = False

    def is_repeated(self, name: bytes) -> bool:
        """Say whether the header `name` (lower case) came more than once."""
        return self.repeated and sum(1 for header, _ in self.scope["headers"] if header == name) > 1

    def values_of(self, name: bytes) -> list[bytes]:
        """Return every value of the header `name` (lower case), in the order in which they came."""
        return [value for header, value in self.scope["headers"] if header == name]


class ClientDisconnected(Disconnected):
    """The client went away before its request was read: there is nobody to answer."""
