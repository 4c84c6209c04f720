"""IP addresses, in the one form in which they are kept and compared."""

import ipaddress
import re
from functools import lru_cache
from typing import Final, TypeAlias

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_NETWORK: Final = re.compile(r"[0-9A-Fa-f:.]+(/[0-9]{1,3})?")
_MAPPED_BITS: Final = 96


def parse_address(text: str) -> Address | None:
    """Return the IP address that `text` is, or None.

    An IPv4 address mapped into IPv6 (::ffff:192.0.2.1, RFC 4291 section 2.5.5.2) is the IPv4 address.
    """
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return address if mapped is None else mapped


def address_group(text: str | None) -> str:
    """Return what a caller's address is counted as: an IPv4 address as itself, an IPv6 address as its network of /64.

    One subscriber has a whole such network at least (RFC 6177). What is no address, None too, is counted as it is.
    """
    if text is None:
        return "unknown"
    return _network_of(text) if ":" in text else text


@lru_cache(4096)
def _network_of(text: str) -> str:
    address = parse_address(text)
    if not isinstance(address, ipaddress.IPv6Address):
        return text if address is None else str(address)
    return str(ipaddress.IPv6Network((address.packed[:8].ljust(16, b"\0"), 64)))


def parse_network(text: str) -> Network | None:
    """Return the network that `text` is in CIDR notation (RFC 4632, RFC 4291 section 2.3), or None.

    An address alone is the network of that one address. The bits beyond the prefix must be zero. What is mapped from
    IPv4 is the IPv4 network.
    """
    if not _NETWORK.fullmatch(text):
        return None
    try:
        network = ipaddress.ip_network(text)
    except ValueError:
        return None
    if isinstance(network, ipaddress.IPv6Network) and network.prefixlen >= _MAPPED_BITS:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            return ipaddress.IPv4Network((mapped, network.prefixlen - _MAPPED_BITS))
    return network


def format_network(network: Network) -> str:
    """Return the one text of a network: of a single address the address, of others with the prefix (RFC 5952)."""
    is_single = network.prefixlen == network.max_prefixlen
    return str(network.network_address) if is_single else str(network)


def is_within(inner: Network, outer: Network) -> bool:
    """Say whether every address of one network is in the other. IPv4 and IPv6 are apart: `::/0` holds no IPv4."""
    if isinstance(inner, ipaddress.IPv4Network):
        return isinstance(outer, ipaddress.IPv4Network) and inner.subnet_of(outer)
    return isinstance(outer, ipaddress.IPv6Network) and inner.subnet_of(outer)
