"""Where a webhook may be sent: https, to names whose addresses are all of the public internet.

A user chooses the address and our function makes the request. So what only this function could
reach (Lambda's own endpoints, a private network, metadata of machines) must not be reached by it.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple

from porewatch.domain.errors import AccountRefused
from porewatch.domain.reasons.reason import PeopleCode, because

LONGEST = 500
PORTS = frozenset({443, 8443})
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9.:\[\]-]+?)(?::(?P<port>\d{1,5}))?"
    r"(?P<path>/[!-~]*)?"
)
_NAME = re.compile(
    r"(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"
)
"""A name with a dot whose last part begins with a letter: no IP address in any spelling."""
_UNICAST6 = IPv6Network("2000::/3")
"""All of IPv6 that is given out. What translates to IPv4 (mapped, compatible, NAT64) lies outside
of it, but for these:"""
_NOT_PUBLIC = tuple(
    map(
        ip_network,
        (
            *("2001::/23", "2002::/16"),  # Teredo, ORCHID and other protocols; 6to4
            *("2001:db8::/32", "3fff::/20"),  # documentation
            *("192.0.0.0/24", "192.88.99.0/24"),  # protocols; relays of 6to4
        ),
    )
)


class Target(NamedTuple):
    """Where a request goes. `path` with its query; `loopback`: to this machine, without TLS."""

    host: str
    port: int
    path: str
    loopback: bool = False


def target_of(url: str, *, loopback: bool = False) -> Target:
    """What the text of an address says. AccountRefused for one that we never send to.

    `loopback`: plain http to this machine is allowed, too (the embedded AWS).

    >>> target_of("https://lab.example/porewatch?x=1")
    Target(host='lab.example', port=443, path='/porewatch?x=1', loopback=False)
    """
    found = _URL.fullmatch(url) if len(url) <= LONGEST else None
    if found is None or "\\" in url or "#" in url:
        raise _refused()
    host, path = found["host"].lower(), found["path"] or "/"
    port = int(found["port"]) if found["port"] else 443
    if found["scheme"] == "https" and _NAME.fullmatch(host) and port in PORTS:
        return Target(host, port, path)
    if loopback and found["scheme"] == "http" and host in LOOPBACK_NAMES and 0 < port < 2**16:
        return Target(host.strip("[]"), port if found["port"] else 80, path, loopback=True)
    raise _refused()


def is_refused(address: str, target: Target) -> bool:
    """Whether nothing is sent to this IP address. An IPv6 address may have a zone (`%eth0`).

    >>> at = target_of("https://lab.example")
    >>> is_refused("169.254.169.254", at), is_refused("93.184.215.14", at)
    (True, False)
    """
    try:
        ip = ip_address(address)
    except ValueError:
        return True
    if target.loopback:
        mapped = None if isinstance(ip, IPv4Address) else ip.ipv4_mapped
        return not (mapped or ip).is_loopback  # versions of Python differ on ::ffff:127.0.0.1
    if not ip.is_global or ip.is_multicast or ip.is_reserved:
        return True
    if any(ip in network for network in _NOT_PUBLIC if network.version == ip.version):
        return True
    return not isinstance(ip, IPv4Address) and (ip not in _UNICAST6 or ip.scope_id is not None)


def _refused() -> AccountRefused:
    return AccountRefused(
        because(PeopleCode.WEBHOOK_ADDRESS), remedy="give an address such as https://lab.example/x."
    )
