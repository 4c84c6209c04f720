"""The address of the client, through proxies that are trusted by name and no others."""

from collections.abc import Sequence
from functools import lru_cache

from hellojohn_server.kit.addresses import Address, Network, parse_address


class ClientAddresses:
    """Finds the client's address: the peer, or what trusted proxies say of it in X-Forwarded-For."""

    def __init__(self, trusted_proxies: Sequence[Network]) -> None:
        self._trusted = tuple(trusted_proxies)

    def find(self, peer: str | None, forwarded: Sequence[bytes]) -> str | None:
        """Return the address of who sent the request, or None when it is not known (a Unix socket without a proxy).

        `forwarded` are the values of X-Forwarded-For. They are read from the right, where the nearest proxy writes, and
        only as far as every hop is trusted; what a client writes there itself is never reached.
        """
        if peer is None:
            return None
        address = _address_in(peer)
        if address is None:
            return peer
        if self._trusted and forwarded and self._is_trusted(address):
            hops = b",".join(forwarded).decode("latin-1").split(",")
            for hop in reversed(hops):
                nearer = _address_in(hop.strip())
                if nearer is None:
                    break
                address = nearer
                if not self._is_trusted(address):
                    break
        return str(address)

    def _is_trusted(self, address: Address) -> bool:
        return any(address in network for network in self._trusted)


@lru_cache(4096)
def _address_in(text: str) -> Address | None:
    """Return the IP address in `text`, which may carry a port or brackets; None when it is none."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    return parse_address(text)
