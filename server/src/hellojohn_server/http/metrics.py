"""/metrics: the figures of this process in Prometheus' text format, for its own machine and for who has the token."""

import asyncio
from typing import Final

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from hellojohn_server.http.answers import Answers, Outgoing
from hellojohn_server.http.authentication import credential_of
from hellojohn_server.http.boundary import QueryReader, refuse_all
from hellojohn_server.http.call import Call
from hellojohn_server.http.limits import CallLimits
from hellojohn_server.kit.addresses import parse_address
from hellojohn_server.kit.errors import FieldError, Invalid, InvalidToken
from hellojohn_server.kit.metrics import Metrics
from hellojohn_server.kit.setting_values import MetricsToken

_CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4.encode()
_OF_PROXIES: Final = frozenset(
    {b"forwarded", b"via", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"x-real-ip"}
)
"""Headers by which a proxy is known."""


class MetricsPage:
    """Answers GET /metrics. Without a `token` it answers the machine itself only."""

    def __init__(self, metrics: Metrics, token: MetricsToken | None, answers: Answers, limits: CallLimits) -> None:
        self._metrics = metrics
        self._token = token
        self._answers = answers
        self._limits = limits
        self._query = QueryReader(None)

    async def answer(self, call: Call) -> Outgoing:
        """Return the figures.

        MissingToken, InvalidToken or RateLimited to who may not see them; Invalid for any parameter.
        """
        self._require_right(call)
        faults: list[FieldError] = []
        self._query.read(call.scope["query_string"], faults)
        refuse_all(faults, Invalid)
        figures = await asyncio.to_thread(self._metrics.render)  # tens of milliseconds that others need not wait for
        return self._answers.text(call, figures, _CONTENT_TYPE)

    def _require_right(self, call: Call) -> None:
        if b"authorization" not in call.headers and _is_local(call):
            return
        credential = credential_of(call)
        self._limits.require_credible(call, credential)
        if self._token is None or not self._token.matches(credential):
            self._limits.note_wrong(call, credential)
            raise InvalidToken("This is not the token of /metrics.")


def _is_local(call: Call) -> bool:
    """Say whether a program on this machine calls, and not a proxy on it for somebody else.

    What came through a proxy is never local, trusted or not: whom it came from is then only as sure as its settings.
    """
    address = None if call.client_address is None else parse_address(call.client_address)
    return address is not None and address.is_loopback and _OF_PROXIES.isdisjoint(call.headers)
