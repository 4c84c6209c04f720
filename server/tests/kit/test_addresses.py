"""IP addresses: every way to write one is the same one."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hellojohn_server.kit.addresses import (
    Network,
    address_group,
    format_network,
    is_within,
    parse_address,
    parse_network,
)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::FFFF:c000:201", "192.0.2.1"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("::1", "::1"),
    ],
)
def test_an_address_has_one_form(text: str, plain: str) -> None:
    assert str(parse_address(text)) == plain


@pytest.mark.parametrize("text", ["", "here", "192.0.2", "192.0.2.1:80", "[::1]", "192.0.2.1 ", "192.0.2.0/24"])
def test_anything_else_is_none(text: str) -> None:
    assert parse_address(text) is None


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1/32", "192.0.2.1"),
        ("192.0.2.0/24", "192.0.2.0/24"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("2001:DB8::/032", "2001:db8::/32"),
        ("2001:db8:0:0::1/128", "2001:db8::1"),
        ("::/0", "::/0"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::ffff:c000:200/120", "192.0.2.0/24"),
        ("::ffff:0:0/96", "0.0.0.0/0"),
        ("::fffe:0:0/95", "::fffe:0:0/95"),
    ],
)
def test_a_network_has_one_form(text: str, plain: str) -> None:
    network = parse_network(text)
    assert network is not None
    assert format_network(network) == plain


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/24",
        "192.0.2.1/24",
        "192.0.2.0/33",
        "192.0.2.0/-1",
        "192.0.2.0/255.255.255.0",
        "192.0.2.0/0.0.0.255",
        "192.0.2.0/",
        "192.0.2.0/24/24",
        "192.0.2.0/24\n",
        " 192.0.2.0/24",
        "192.0.2",
        "192.0.02.1",
        "2001:db8::1/64",
        "::ffff:192.0.2.1/120",
        "fe80::1%eth0",
        "2001:db8::/129",
        "192.0.2.\u0661",
        "192.0.2.0/\u0662",
        "example.com",
        "*",
    ],
)
def test_anything_else_is_no_network(text: str) -> None:
    assert parse_network(text) is None


@st.composite
def networks(draw: st.DrawFn) -> Network:
    address = draw(st.ip_addresses())
    return ipaddress.ip_network((address, draw(st.integers(0, address.max_prefixlen))), strict=False)


MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")


@given(networks())
def test_every_network_is_read_from_its_own_form(network: Network) -> None:
    parsed = parse_network(str(network))
    assert parsed is not None
    assert parse_network(format_network(parsed)) == parsed
    assert (parsed == network) is not is_within(network, MAPPED)


@given(st.ip_addresses(v=4), st.integers(0, 32))
def test_a_mapped_network_is_the_ipv4_one(address: ipaddress.IPv4Address, prefix: int) -> None:
    network = ipaddress.IPv4Network((address, prefix), strict=False)
    assert parse_network(f"::ffff:{network.network_address}/{prefix + 96}") == network


@given(st.text(alphabet="0123456789abcdefABCDEF.:/% \n", max_size=50))
def test_what_is_read_at_all_has_a_form_that_reads_the_same(text: str) -> None:
    network = parse_network(text)
    assert network is None or parse_network(format_network(network)) == network


@given(networks(), networks())
def test_a_network_is_within_another_if_its_first_and_last_address_are(inner: Network, outer: Network) -> None:
    both = inner.network_address in outer and inner.broadcast_address in outer
    assert is_within(inner, outer) is both
    assert is_within(inner, inner)


@given(networks(), st.integers(0, 8))
def test_a_network_is_within_those_around_it(network: Network, wider: int) -> None:
    around = network.supernet(min(wider, network.prefixlen))
    assert is_within(network, around)
    assert is_within(around, network) is (around == network)


@pytest.mark.parametrize(
    ("text", "group"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("a:b", "a:b"),
        ("socket", "socket"),
        (None, "unknown"),
    ],
)
def test_callers_are_counted_by_ipv4_address_and_by_ipv6_network(text: str | None, group: str) -> None:
    assert address_group(text) == group
