"""The Python SDK of HelloJohn: `HelloJohn` for threads, `AsyncHelloJohn` for an event loop."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from msgspec import UNSET, UnsetType

from hellojohn import types
from hellojohn._client import HelloJohn
from hellojohn._version import __version__
from hellojohn.errors import (
    ApiConnectionError,
    ApiError,
    ApiTimeoutError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    FieldError,
    HelloJohnError,
    MissingCredential,
    NotFoundError,
    PayloadTooLargeError,
    PermissionDeniedError,
    PreconditionFailedError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    ServiceUnavailableError,
    UnexpectedAnswer,
    UnprocessableEntityError,
    UnsupportedMediaTypeError,
)
from hellojohn.pages import AsyncPage, AsyncPages, Page, Pagination
from hellojohn.streams import AsyncStream, Stream

if TYPE_CHECKING:
    from hellojohn._async_client import AsyncHelloJohn

__all__ = [
    "UNSET",
    "ApiConnectionError",
    "ApiError",
    "ApiTimeoutError",
    "AsyncHelloJohn",
    "AsyncPage",
    "AsyncPages",
    "AsyncStream",
    "AuthenticationError",
    "BadRequestError",
    "ConflictError",
    "FieldError",
    "HelloJohn",
    "HelloJohnError",
    "MissingCredential",
    "NotFoundError",
    "Page",
    "Pagination",
    "PayloadTooLargeError",
    "PermissionDeniedError",
    "PreconditionFailedError",
    "RateLimitError",
    "RequestTimeoutError",
    "ServerError",
    "ServiceUnavailableError",
    "Stream",
    "UnexpectedAnswer",
    "UnprocessableEntityError",
    "UnsetType",
    "UnsupportedMediaTypeError",
    "__version__",
    "types",
]


def __getattr__(name: str) -> Any:
    """Import the asynchronous client when it is first asked for: who has threads needs no event loop."""
    if name == "AsyncHelloJohn":
        return import_module("hellojohn._async_client").AsyncHelloJohn
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
