"""What the door counts: the calls of each operation, and for each address the credentials that are wrong."""

from contextlib import suppress
from typing import Final

from hellojohn_server.features.keys.errors import ApiKeyExpired, InvalidApiKey, InvalidPublishableKey
from hellojohn_server.http.call import Call
from hellojohn_server.kit.addresses import address_group
from hellojohn_server.kit.errors import AddressNotAllowed, InvalidToken
from hellojohn_server.kit.ids import CONTROL_TENANT_ID
from hellojohn_server.kit.principal import CredentialKind, Principal
from hellojohn_server.kit.rate_limits import Limit, RateLimited, RateLimiter
from hellojohn_server.kit.routing import Route

WRONG: Final = (AddressNotAllowed, ApiKeyExpired, InvalidApiKey, InvalidPublishableKey, InvalidToken)
"""The refusals of a credential that count. Tokens that are merely past their time are not among them: clients have them
every few minutes without doing anything wrong."""

REMEMBERED: Final = 50_000
"""How many credentials that were good are remembered, at least the latest so many and at most twice."""

_BY_ADDRESS: Final = frozenset({Limit.REFRESH, Limit.SIGN_IN, Limit.SIGN_UP})
_TOO_MANY_WRONG: Final = (
    "Too many requests with a wrong credential came from this address. Correct the key or token, and wait for as many "
    "seconds as Retry-After says."
)


class CallLimits:
    """Counts what comes in at the door of one app."""

    def __init__(self, limiter: RateLimiter, remembered: int = REMEMBERED) -> None:
        self._limiter = limiter
        self._remembered = remembered
        self._good: set[int] = set()
        self._good_before: set[int] = set()

    def count(self, call: Call, route: Route, principal: Principal) -> None:
        """Count a call of an authenticated caller for the limit of its operation. RateLimited."""
        if route.limit is not Limit.NONE:
            call.standing = self._limiter.count(route.limit, _subject(call, route.limit, principal))

    def count_stranger(self, call: Call, route: Route) -> None:
        """Count a call of an operation that takes no credential. RateLimited."""
        if route.limit is not Limit.NONE:
            call.standing = self._limiter.count(route.limit, (CONTROL_TENANT_ID, address_group(call.client_address)))

    def count_visitor(self, call: Call, limit: Limit) -> None:
        """Count what a visitor of a page does, by address. RateLimited."""
        call.standing = self._limiter.count(limit, (CONTROL_TENANT_ID, address_group(call.client_address)))

    def require_credible(self, call: Call, credential: str) -> None:
        """Raise RateLimited if too many wrong credentials came from the caller's address.

        Whoever has called from there with this credential lately, and was right, is let through: nobody is shut out by
        a neighbour behind the same address.
        """
        mark = hash((credential, call.client_address))
        if mark not in self._good and mark not in self._good_before:
            self._limiter.require_left(Limit.KEY_FAILURES, address_group(call.client_address), _TOO_MANY_WRONG)

    def note_wrong(self, call: Call, credential: str) -> None:
        """Count a wrong credential against the address that it came from."""
        mark = hash((credential, call.client_address))
        self._good.discard(mark)
        self._good_before.discard(mark)
        with suppress(RateLimited):
            call.standing = self._limiter.count(Limit.KEY_FAILURES, address_group(call.client_address))

    def note_right(self, call: Call, credential: str) -> None:
        """Remember that a credential was right. Only a number is kept of it, which nothing can be made of."""
        mark = hash((credential, call.client_address))
        if mark not in self._good:
            if len(self._good) >= self._remembered:
                self._good, self._good_before = set(), self._good
            self._good.add(mark)


def _subject(call: Call, limit: Limit, principal: Principal) -> str | tuple[str, str]:
    """Return who is counted: the visitor's address in the tenant, the user or the impersonation, or the key."""
    if limit in _BY_ADDRESS or principal.kind is CredentialKind.PUBLISHABLE_KEY:
        return (principal.tenant_id, address_group(call.client_address))
    session = principal.session
    if session is None:
        return principal.id
    return session.id if session.impersonated else session.user_id
