"""What the HTTP door is told at start-up."""

import msgspec

from hellojohn_server.config import Settings
from hellojohn_server.kit.addresses import Network
from hellojohn_server.kit.rate_limits import Limit, Rate
from hellojohn_server.kit.setting_values import MetricsToken, ProxyHeader


class HttpSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the app.

    `public_url` is the address that clients see; Strict-Transport-Security is sent when it is https. X-Forwarded-For is
    believed from `trusted_proxies` only. With `dev_host_check` a request whose Host header names none of these hosts
    (without a port) is refused, so that a web page cannot reach a development server by a name of its own.
    `metrics_token` opens /metrics from everywhere. No operation takes a body of more than `max_body_bytes`, whatever it
    declares, or waits for one longer than `body_seconds`; of an upload it takes `max_upload_bytes`, and waits so long
    for each part. A request has its answer within `request_seconds`, or 503; so has one that comes while
    `concurrent_requests` others are running.
    """

    public_url: str = "http://localhost:3000"
    trusted_proxies: tuple[Network, ...] = ()
    proxy_header: ProxyHeader = ProxyHeader.X_FORWARDED_FOR
    dev_host_check: tuple[str, ...] | None = None
    metrics_token: MetricsToken | None = None
    max_body_bytes: int = 8_388_608
    max_upload_bytes: int = 8_589_934_592
    body_seconds: float = 30.0
    request_seconds: float = 60.0
    concurrent_requests: int = 1000


def rates_of(settings: Settings) -> dict[Limit, Rate]:
    """Return how often callers may call."""
    if not settings.rate_limit_enabled:
        return {}
    return {
        Limit.BULK: Rate(settings.rate_limit_bulk),
        Limit.FORGOT: Rate(settings.rate_limit_forgot, 600),
        Limit.KEY_FAILURES: Rate(settings.rate_limit_key_failures),
        Limit.READS: Rate(settings.rate_limit_reads),
        Limit.REFRESH: Rate(settings.rate_limit_refresh),
        Limit.SIGN_IN: Rate(settings.rate_limit_sign_in),
        Limit.SIGN_UP: Rate(settings.rate_limit_sign_up),
        Limit.WRITES: Rate(settings.rate_limit_writes),
    }
