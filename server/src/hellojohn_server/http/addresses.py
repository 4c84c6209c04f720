"""The address of the client, through proxies that are trusted by name and no others."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

from hellojohn_server.kit.addresses import Address, Network, parse_address
from hellojohn_server.kit.setting_values import ProxyHeader

_LONGEST: Final = 64
"""Longer texts are no address, with brackets and a port."""


class ClientAddresses:
    """Finds the client's address: the peer, or what trusted proxies say of it in the one header that they write."""

    def __init__(self, trusted_proxies: Sequence[Network], header: ProxyHeader = ProxyHeader.X_FORWARDED_FOR) -> None:
        self._trusted = tuple(trusted_proxies)
        self._hops = _hops_of_forwarded if header is ProxyHeader.FORWARDED else _hops_of_x_forwarded_for
        self.header: bytes = header.value.encode()

    def find(self, peer: str | None, forwarded: Sequence[bytes]) -> str | None:
        """Return the address of who sent the request, or None when it is not known (a Unix socket without a proxy).

        `forwarded` are the values of `header`. They are read from the right, where the nearest proxy writes, and only
        as far as every hop is trusted; what a client writes there itself is never reached.
        """
        if peer is None:
            return None
        if not (self._trusted and forwarded):
            return _canonical(peer)
        address = _address_in(peer)
        if address is None:
            return peer
        if self._is_trusted(address):
            for hop in self._hops(b",".join(forwarded).decode("latin-1")):
                nearer = _address_in(hop)
                if nearer is None:
                    break
                address = nearer
                if not self._is_trusted(address):
                    break
        return str(address)

    def _is_trusted(self, address: Address) -> bool:
        return any(address in network for network in self._trusted)


def _hops_of_x_forwarded_for(text: str) -> Iterator[str]:
    for hop in reversed(text.split(",")):
        yield hop.strip()


def _hops_of_forwarded(text: str) -> Iterator[str]:
    """Yield what each element of Forwarded (RFC 7239 section 4) has in `for`, from the right; "" where it has none.

    From the right also where quotation marks stand: one that a client opens and never closes must not swallow what the
    proxy writes after it.
    """
    end, is_quoted = len(text), False
    for index in range(len(text) - 1, -1, -1):
        letter = text[index]
        if letter == '"' and text[index - 1 : index] != "\\":
            is_quoted = not is_quoted
        elif letter == "," and not is_quoted:
            yield _for_in(text[index + 1 : end])
            end = index
    yield _for_in(text[:end])


def _for_in(element: str) -> str:
    pairs = [pair.strip().partition("=") for pair in element.split(";")]
    named = [value for name, _, value in pairs if name.lower() == "for"]
    return named[0].strip('"') if len(named) == 1 else ""


def _address_in(text: str) -> Address | None:
    """Return the IP address in `text`, which may carry a port or brackets; None when it is none."""
    return _short_address_in(text) if len(text) <= _LONGEST else None


@lru_cache(4096)
def _canonical(peer: str) -> str:
    """Return the address of a peer in its one form; what is none as it is."""
    address = _address_in(peer)
    return peer if address is None else str(address)


@lru_cache(4096)
def _short_address_in(text: str) -> Address | None:
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    return parse_address(text)
