"""The client for threads: the whole API as a tree of methods."""

from types import TracebackType
from typing import Self, Unpack

import httpx2

from hellojohn._settings import DEFAULT_MAX_RETRIES, DEFAULT_TIMEOUT, ClientOptions, settings_of, settings_with
from hellojohn._transport import Transport
from hellojohn._version import USER_AGENT
from hellojohn.resources import Resources


class HelloJohn(Resources):
    """A client of the API. Make one and keep it: its connections are used again, from any thread.

    The key names its tenant. `base_url` and `secret_key` may stand in HELLOJOHN_API_URL and HELLOJOHN_SECRET_KEY.
    `auth` takes a publishable key, or for what users do themselves their `access_token`; `tenants` a master key.
    `timeout` is for each attempt, in seconds. With an `http_client` of your own its closing is yours too.
    """

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
        http_client: httpx2.Client | None = None,
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
        self._http = http_client or httpx2.Client(headers={"User-Agent": USER_AGENT})
        super().__init__(Transport(self._settings, self._http))

    def __repr__(self) -> str:
        return f"HelloJohn(base_url={self._settings.base_url!r})"

    def with_options(self, **options: Unpack[ClientOptions]) -> "HelloJohn":
        """Return a client with other options on the same connections. To close either closes both."""
        made = object.__new__(HelloJohn)
        made._settings = settings_with(self._settings, options)
        made._owns_http, made._http = self._owns_http, self._http
        Resources.__init__(made, Transport(made._settings, made._http))
        return made

    def close(self) -> None:
        """Close the connections."""
        if self._owns_http:
            self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()
