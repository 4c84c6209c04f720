"""The client for an event loop: the whole API as a tree of methods."""

from types import TracebackType
from typing import Self, Unpack

import httpx2

from hellojohn._async_transport import AsyncTransport
from hellojohn._settings import DEFAULT_MAX_RETRIES, DEFAULT_TIMEOUT, ClientOptions, settings_of, settings_with
from hellojohn._version import USER_AGENT
from hellojohn.async_resources import AsyncResources


class AsyncHelloJohn(AsyncResources):
    """The same as HelloJohn for an event loop: its methods are awaited, its lists iterated with `async for`."""

    def __init__(  # noqa: PLR0913 - what a client can be told, each by name
        self,
        *,
        secret_key: str | None = None,
        base_url: str | None = None,
        publishable_key: str | None = None,
        access_token: str | None = None,
        master_key: str | None = None,
        tenant_id: str | None = None,
        acting_admin: str | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        max_retries: int = DEFAULT_MAX_RETRIES,
        http_client: httpx2.AsyncClient | None = None,
    ) -> None:
        self._settings = settings_of(
            base_url=base_url,
            secret_key=secret_key,
            publishable_key=publishable_key,
            access_token=access_token,
            master_key=master_key,
            tenant_id=tenant_id,
            acting_admin=acting_admin,
            timeout=timeout,
            max_retries=max_retries,
        )
        self._owns_http = http_client is None
        self._http = http_client or httpx2.AsyncClient(headers={"User-Agent": USER_AGENT})
        super().__init__(AsyncTransport(self._settings, self._http))

    def __repr__(self) -> str:
        return f"AsyncHelloJohn(base_url={self._settings.base_url!r})"

    def with_options(self, **options: Unpack[ClientOptions]) -> "AsyncHelloJohn":
        """Return a client with other options on the same connections. To close either closes both."""
        made = object.__new__(AsyncHelloJohn)
        made._settings = settings_with(self._settings, options)
        made._owns_http, made._http = self._owns_http, self._http
        AsyncResources.__init__(made, AsyncTransport(made._settings, made._http))
        return made

    async def close(self) -> None:
        """Close the connections."""
        if self._owns_http:
            await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        await self.close()
