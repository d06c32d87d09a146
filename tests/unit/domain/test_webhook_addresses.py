"""Where a webhook may be sent. The networks are those of IANA's two registries of special purpose
addresses, written down here once more: the product's rule is made otherwise."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from itertools import pairwise

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from porewatch.domain.errors import AccountRefused
from porewatch.domain.webhooks.addresses import Target, is_refused, target_of

AT = Target("lab.example", 443, "/")
HERE = Target("localhost", 9000, "/", loopback=True)
SPECIAL4 = tuple(
    IPv4Network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16"),
        *("198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
    )
)
"""In order, without overlap."""
SPECIAL6 = tuple(
    IPv6Network(text)
    for text in (
        *("::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/32"),
        *("2001:2::/48", "2001:10::/28", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16"),
        *("fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8", "4000::/2"),
    )
)
GAPS4 = tuple(
    (int(before.broadcast_address) + 1, int(after.network_address) - 1)
    for before, after in pairwise(SPECIAL4)
    if int(before.broadcast_address) + 1 < int(after.network_address)
)
"""What lies between them: first and last address."""


def within(network: IPv4Network | IPv6Network) -> st.SearchStrategy[str]:
    first, last = int(network.network_address), int(network.broadcast_address)
    kind = IPv4Address if network.version == 4 else IPv6Address
    return st.integers(first, last).map(lambda number: str(kind(number)))


SPECIAL = st.sampled_from((*SPECIAL4, *SPECIAL6)).flatmap(within)
ANY4 = st.integers(0, 2**32 - 1).map(IPv4Address)


@given(address=SPECIAL)
@example(address="169.254.169.254")  # metadata of machines and containers
@example(address="169.254.170.2")
@example(address="fd00:ec2::254")
@example(address="127.0.0.1")  # Lambda's own endpoint listens there
@example(address="0.0.0.0")
@example(address="100.100.100.200")
@example(address="::ffff:169.254.169.254")
@example(address="64:ff9b::a9fe:a9fe")
@example(address="fe80::1%eth0")
@example(address="255.255.255.255")
def test_no_special_address_is_sent_to(address: str) -> None:
    assert is_refused(address, AT)


@given(inner=ANY4)
@example(inner=IPv4Address("8.8.8.8"))
def test_no_ipv4_address_is_reached_inside_of_an_ipv6_one(inner: IPv4Address) -> None:
    number = int(inner)
    embedded = (
        (0xFFFF << 32) | number,  # mapped
        number,  # compatible
        (0x64FF9B << 96) | number,  # NAT64
        (0x64FF9B0001 << 80) | number,  # NAT64 of a network of one's own
        (0x2002 << 112) | (number << 80),  # 6to4
        (0x20010000 << 96) | (number ^ 0xFFFFFFFF),  # Teredo
    )
    for value in embedded:
        assert is_refused(str(IPv6Address(value)), AT), IPv6Address(value)


@given(address=st.sampled_from(GAPS4).flatmap(lambda gap: st.integers(*gap)).map(IPv4Address))
@example(address=IPv4Address("93.184.215.14"))
def test_every_other_address_is_sent_to(address: IPv4Address) -> None:
    assert not is_refused(str(address), AT)


@pytest.mark.parametrize("address", ["2606:4700::1111", "2a00:1450:4001::200e"])
def test_an_ipv6_address_that_is_given_out_is_sent_to(address: str) -> None:
    assert not is_refused(address, AT)
    assert is_refused(f"{address}%eth0", AT)


@pytest.mark.parametrize("text", ["", "lab.example", "0x7f.1", "2130706433", "127.1", "1.2.3.4.5"])
def test_what_is_no_address_is_not_sent_to(text: str) -> None:
    assert is_refused(text, AT)


@given(address=st.one_of(SPECIAL, ANY4.map(str)))
@example(address="::ffff:127.0.0.1")
@example(address="::ffff:127.0.0.0")
def test_on_the_embedded_aws_plain_http_goes_to_this_machine_alone(address: str) -> None:
    itself = address.removeprefix("::ffff:").startswith("127.") or address == "::1"
    assume(itself or not address.startswith("::ffff:7f"))
    assert is_refused(address, HERE) is not itself


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://lab.example", Target("lab.example", 443, "/")),
        ("https://LAB.example:8443/a/b?c=%20d", Target("lab.example", 8443, "/a/b?c=%20d")),
        ("https://xn--bcher-kva.example/", Target("xn--bcher-kva.example", 443, "/")),
        ("https://a.b-c.example:443/", Target("a.b-c.example", 443, "/")),
    ],
)
def test_an_address_says_where_to(url: str, target: Target) -> None:
    assert target_of(url) == target


BAD = [
    "", "lab.example", "http://lab.example/", "ftp://lab.example/", "https:///x", "https://",
    "https://lab.example:80/", "https://lab.example:22/", "https://lab.example:0443x/",
    "https://u:p@lab.example/", "https://lab.example@169.254.169.254/", "https://lab.example#x",
    "https://lab.example/#x", "https://lab.example\\@evil.example/", "https://lab.example/a b",
    "https://lab.example/\r\nX: y", "https://lab.example/\u00e9", "https://b\u00fccher.example/",
    "https://localhost/", "https://localhost:8443/", "https://intern/", "https://127.0.0.1/",
    "https://169.254.169.254/latest/meta-data", "https://[::1]/", "https://[fd00:ec2::254]/",
    "https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/", "https://127.1/",
    "https://1.2.3.0x4/", "https://lab..example/", "https://-lab.example/", "https://lab-.example/",
    "https://lab.example./", "https://lab.example:/", "https://lab.example:99999/",
    "https://" + "a" * 64 + ".example/", "https://" + "a." * 130 + "example/",
    "https://lab.example/" + "a" * 500, "HTTPS://lab.example/", " https://lab.example/",
    "http://localhost:9000/", "http://127.0.0.1:9000/", "http://[::1]:9000/",
]  # fmt: skip


@pytest.mark.parametrize("url", BAD)
def test_what_is_no_public_name_by_https_is_refused(url: str) -> None:
    with pytest.raises(AccountRefused) as refusal:
        target_of(url)
    assert refusal.value.code == "webhook_address"


def test_on_the_embedded_aws_this_machine_may_be_named_and_no_other() -> None:
    assert target_of("http://localhost:9000/x", loopback=True) == Target(
        "localhost", 9000, "/x", loopback=True
    )
    assert target_of("http://[::1]/", loopback=True).host == "::1"
    assert not target_of("https://lab.example/", loopback=True).loopback
    for url in BAD[:-3]:
        with pytest.raises(AccountRefused):
            target_of(url, loopback=True)
    for url in ("http://127.0.0.2/", "http://10.0.0.1/", "http://localhost:0/", "http://[::2]/"):
        with pytest.raises(AccountRefused):
            target_of(url, loopback=True)
