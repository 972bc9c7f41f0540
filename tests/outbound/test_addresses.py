"""Which addresses may be dialled, against two independent judges."""

from __future__ import annotations

import random
import socket
from ipaddress import ip_address, ip_network

import pytest
import requests_hardened.ip_filter as hardened

from chalicelib.outbound.addresses import is_loopback, is_public, read_address

SPECIAL = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "168.63.129.16/32",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "::/128",
    "::1/128",
    "::/96",
    "::ffff:0:0/96",
    "64:ff9b::/96",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/32",
    "2001:2::/48",
    "2001:10::/28",
    "2001:20::/28",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
]
METADATA = ["169.254.169.254", "169.254.170.2", "100.100.100.200", "192.0.0.192", "168.63.129.16"]
METADATA_V6 = [
    "fd00:ec2::254",
    "fd20:ce::254",
    "fd00:ec2::23",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
]
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "93.184.215.14",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2001:4860:4860::8888",
    "2606:4700:4700::1111",
    "2a00:1450:4001:80b::200e",
    "2400:cb00::1",
]


def samples(network: str) -> list[str]:
    """First, last and some random addresses of ``network``."""
    block, dice = ip_network(network), random.Random(network)  # noqa: S311 # seeded, not secret
    inside = [dice.randrange(block.num_addresses) for _ in range(20)]
    return [str(block[position]) for position in (0, block.num_addresses - 1, *inside)]


@pytest.mark.parametrize("network", SPECIAL)
def test_no_address_of_a_special_network_is_public(network: str) -> None:
    assert [text for text in samples(network) if is_public(ip_address(text))] == []


@pytest.mark.parametrize("text", METADATA + METADATA_V6)
def test_no_metadata_address_is_public_or_loopback(text: str) -> None:
    assert not is_public(ip_address(text))
    assert not is_loopback(ip_address(text))


@pytest.mark.parametrize("text", PUBLIC)
def test_addresses_of_the_internet_are_public(text: str) -> None:
    assert is_public(ip_address(text))


@pytest.mark.parametrize("prefix", ["2001:470:1f0b:1234:0:5efe", "2a00:1450:4001:80b:200:5efe"])
def test_an_address_that_carries_an_ipv4_address_for_isatap_is_not_public(prefix: str) -> None:
    assert not is_public(ip_address(f"{prefix}:10.0.0.1"))


@pytest.mark.parametrize("text", ["127.0.0.1", "127.255.255.254", "::1"])
def test_loopback_is_known_in_its_plain_forms(text: str) -> None:
    assert is_loopback(ip_address(text))


@pytest.mark.parametrize(
    "text",
    ["::ffff:127.0.0.1", "::127.0.0.1", "0.0.0.0", "::", "10.0.0.1", "128.0.0.1"],  # noqa: S104 # not bound
)
def test_nothing_else_is_loopback(text: str) -> None:
    assert not is_loopback(ip_address(text))


@pytest.mark.parametrize(
    "text", ["fe80::1%eth0", "::1%1", "127.1", "0x7f000001", "2130706433", "010.0.0.1", "", "x"]
)
def test_only_an_address_in_its_usual_form_is_read(text: str) -> None:
    assert read_address(text) is None


def random_addresses(count: int) -> list[str]:
    dice = random.Random(20)  # noqa: S311 # seeded, not secret
    v4 = [str(ip_address(dice.getrandbits(32))) for _ in range(count)]
    v6 = [str(ip_address((dice.choice([0x2, 0x3]) << 124) | dice.getrandbits(124))) for _ in range(count)]
    return v4 + v6


def test_what_the_standard_library_calls_not_global_is_never_public() -> None:
    judged = [*random_addresses(3000), *(text for network in SPECIAL for text in samples(network))]
    assert [text for text in judged if not ip_address(text).is_global and is_public(ip_address(text))] == []


def refused_by_requests_hardened(text: str) -> bool:
    try:
        hardened.get_ip_address(text, 80, allow_loopback=False)
    except hardened.InvalidIPAddress:
        return True
    return False


def test_what_requests_hardened_refuses_is_never_public() -> None:
    judged = [*random_addresses(1000), *(text for network in SPECIAL for text in samples(network))]
    judged = [text for text in judged if can_be_looked_up(text)]
    assert len(judged) > 2000
    assert [
        text for text in judged if refused_by_requests_hardened(text) and is_public(ip_address(text))
    ] == []


def test_requests_hardened_agrees_about_the_addresses_of_the_internet() -> None:
    assert [text for text in PUBLIC if refused_by_requests_hardened(text)] == []


def can_be_looked_up(text: str) -> bool:
    try:
        return bool(socket.getaddrinfo(text, 80))
    except socket.gaierror:
        return False
