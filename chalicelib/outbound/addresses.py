"""The IP addresses that may be dialled.

IPv4: all but the networks below. IPv6: global unicast only, without the networks below.
Source: IANA's special-purpose address registries (RFC 6890 and its updates). The standard library's
``is_global`` is not used because its answer for several of these changed between Python releases.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address

_SHUT = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8",  # this network; Linux dials 0.0.0.0 as loopback
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT; Alibaba's metadata service is inside
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # Azure's metadata and agent address, public by registration
        "169.254.0.0/16",  # link-local; the metadata service of most clouds
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments; Oracle's metadata service is inside
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays, deprecated
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
        "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarks
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, carries an IPv4 address
        "3fff::/20",  # documentation
    )
)
# Outside lie loopback, unspecified, IPv4-mapped and -compatible, NAT64, unique local (the clouds' IPv6
# metadata services), link- and site-local, multicast and all that is not assigned.
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


def read_address(text: str) -> Address | None:
    """The address that ``text`` spells in its usual form, or None; zone ids (``%eth0``) are no address."""
    try:
        return None if "%" in text else ip_address(text)
    except ValueError:
        return None


def is_public(address: Address) -> bool:
    """Whether this is a public address that contains no other address."""
    if any(address in network for network in _SHUT):
        return False
    return address.version == 4 or (address in _GLOBAL_UNICAST and not _is_isatap(address))


def is_loopback(address: Address) -> bool:
    """Whether this is the loopback of this machine in its plain form; mapped and embedded forms are not."""
    return any(address in network for network in _LOOPBACK)


def _is_isatap(address: Address) -> bool:
    """RFC 5214 §6.1: the interface identifier is ``[02]00:5efe`` and an IPv4 address."""
    return (int(address) >> 32) & 0xFDFF_FFFF == 0x0000_5EFE
