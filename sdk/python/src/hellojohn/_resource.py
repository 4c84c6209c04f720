"""What every resource of the tree is."""

from typing import TYPE_CHECKING

from hellojohn._transport import Transport

if TYPE_CHECKING:
    from hellojohn._async_transport import AsyncTransport


class Resource:
    """Some methods of the API that belong together."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport


class AsyncResource:
    """The same for an event loop."""

    def __init__(self, transport: "AsyncTransport") -> None:
        self._transport = transport
