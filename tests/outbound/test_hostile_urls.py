"""Hundreds of hostile URLs, a canary on every address of this machine, and nobody who gets to it.

The URLs are a table: addresses that must not be dialled × ways to write them × ways to hide them in a URL,
and names whose resolver lies. Each is used directly and as the aim of a redirect.
"""

from __future__ import annotations

import contextlib
import itertools
import re
import socket
import threading
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, ip_address
from urllib.parse import quote

import pytest

from chalicelib.errors import UnusableUrl
from chalicelib.outbound import Outbound
from chalicelib.outbound.addresses import is_public
from chalicelib.outbound.sockets import look_up
from chalicelib.outbound.url import CODE, SENTENCE
from tests.outbound.places import PUBLIC_V4, PUBLIC_V6, Dialler, Names
from tests.stubs.hostile_http import HostileServer

FORBIDDEN_V4 = [
    "127.0.0.1",
    "127.9.8.7",
    "0.0.0.0",  # noqa: S104 # not bound
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "169.254.170.2",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
]
FORBIDDEN_V6 = [
    "::1",
    "::",
    "fd00:ec2::254",
    "fd20:ce::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
    "100::1",
    "5f00::1",
    "fd00::2",
]

Spell = Callable[[IPv4Address], str]


def octets(address: IPv4Address) -> list[int]:
    return list(address.packed)


def full_width(text: str) -> str:
    return text.translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"})


def circled(text: str) -> str:
    digits = {ord(str(value)): 0x2460 + value - 1 for value in range(1, 10)}
    return text.translate({**digits, ord("0"): 0x24EA})


def embedded(prefix: str, address: IPv4Address) -> str:
    """In the groups of an IPv6 address; Teredo writes its client's with every bit turned."""
    high, low = divmod(int(address), 0x10000)
    return f"[{prefix.format(groups=f'{high:x}:{low:x}', turned=f'{high ^ 0xFFFF:x}:{low ^ 0xFFFF:x}')}]"


V4_SPELLINGS: dict[str, Spell] = {
    "plain": str,
    "with a final dot": lambda a: f"{a}.",
    "decimal": lambda a: str(int(a)),
    "hexadecimal": lambda a: hex(int(a)),
    "upper hexadecimal": lambda a: f"0X{int(a):X}",
    "octal": lambda a: f"0{int(a):o}",
    "octal parts": lambda a: ".".join(f"0{part:o}" for part in octets(a)),
    "hexadecimal parts": lambda a: ".".join(hex(part) for part in octets(a)),
    "mixed parts": lambda a: f"{octets(a)[0]:#x}.{octets(a)[1]}.0{octets(a)[2]:o}.{octets(a)[3]}",
    "long zeros": lambda a: ".".join(f"{part:05d}" for part in octets(a)),
    "three parts": lambda a: f"{octets(a)[0]}.{octets(a)[1]}.{int(a) & 0xFFFF}",
    "two parts": lambda a: f"{octets(a)[0]}.{int(a) & 0xFFFFFF}",
    "overflow": lambda a: str(int(a) + 2**32),
    "percent-encoded": lambda a: "".join(f"%{ord(char):02x}" for char in str(a)),
    "full-width digits": lambda a: full_width(str(a)),
    "circled digits": lambda a: circled(str(a)),
    "ideographic dots": lambda a: str(a).replace(".", "。"),
    "half-width dots": lambda a: str(a).replace(".", "｡"),
    "mapped": lambda a: f"[::ffff:{a}]",
    "mapped in hexadecimal": lambda a: embedded("::ffff:{groups}", a),
    "mapped in full": lambda a: embedded("0:0:0:0:0:ffff:{groups}", a),
    "compatible": lambda a: f"[::{a}]",
    "translated": lambda a: f"[::ffff:0:{a}]",
    "NAT64": lambda a: f"[64:ff9b::{a}]",
    "local NAT64": lambda a: embedded("64:ff9b:1::{groups}", a),
    "6to4": lambda a: embedded("2002:{groups}::", a),
    "Teredo server": lambda a: embedded("2001:0:{groups}::1", a),
    "Teredo client": lambda a: embedded("2001:0:4136:e378:8000:63bf:{turned}", a),
    "ISATAP": lambda a: f"[2a00:1450:4001:80b:0:5efe:{a}]",
    "zone": lambda a: f"[::ffff:{a}%25lo]",
    "bare zone": lambda a: f"[::ffff:{a}%lo]",
    "brackets": lambda a: f"[{a}]",
}

# {bad} is what must not be reached, {good} would be fine, {port} is the canary's.
DISGUISES = [
    "http://{good}@{bad}:{port}/",
    "http://{good}:80@{bad}:{port}/",
    "http://{bad}:{port}@{bad}:{port}/",
    "http://{good}%40{bad}:{port}/",
    "http://{bad}:{port}\\@{good}/",
    "http://{good}\\@{bad}:{port}/",
    "http://{bad}:{port}#@{bad}:{port}/",
    "http://{good}:80#@{bad}:{port}@{bad}:{port}/",
    "http://{bad}:{port}?@{good}/",
    "http://{bad}:{port}/@{good}",
    "http://{bad}:{port};@{good}/",
    "http://{good}&@{bad}:{port}#@{good}/",
    "http:\\\\{bad}:{port}\\",
    "http:/{bad}:{port}/",
    "http:{bad}:{port}/",
    "http:///{bad}:{port}/",
    "http:////{bad}:{port}/",
    "//{bad}:{port}/",
    "\x00http://{bad}:{port}/",
    " http://{bad}:{port}/",
    "http://{bad}:{port}\t/",
    "ht\ntp://{bad}:{port}/",
    "http://{bad}\n:{port}/",
    "http://\t{bad}:{port}/",
    "http://{good} @{bad}:{port}/",
    "http://{good}:80:{port}@{bad}:{port}/",
    "http://{good},{bad}:{port}/",
    "http://{bad}%00.{good}:{port}/",
    "http://{bad}%23.{good}:{port}/",
    "http://{bad}%2f.{good}:{port}/",
    "http://{bad}⁄.{good}:{port}/",
    "http://{bad}．:{port}/",
    "http://{bad}\u00ad:{port}/",
    "http://{bad}\u200b:{port}/",
    "http://[{bad}]@{good}:{port}/",
    "HTTP://{bad}:{port}/",
    "https://{bad}:{port}/",
    "ftp://{bad}:{port}/",
    "gopher://{bad}:{port}/_GET%20/",
    "file://{bad}:{port}/",
    "dict://{bad}:{port}/",
    "unix://{bad}:{port}/",
    "url:http://{bad}:{port}/",
    "http://localhost:{port}/",
    "http://LOCALHOST.:{port}/",
    "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:{port}/",
]
ADDRESSES = [*FORBIDDEN_V4, *FORBIDDEN_V6, "::ffff:127.0.0.1", "64:ff9b::7f00:1", "fe80::1%2", "127.1", ""]
PORT = 47_011  # stands for the canary's in the tests' names


def spelled() -> Iterator[str]:
    for address, spell in itertools.product(FORBIDDEN_V4, V4_SPELLINGS.values()):
        yield f"http://{spell(IPv4Address(address))}:{PORT}/"
    for address in FORBIDDEN_V6:
        yield f"http://[{address}]:{PORT}/"
        yield f"http://[{ip_address(address).exploded}]:{PORT}/"


def disguised() -> Iterator[str]:
    for disguise, bad in itertools.product(DISGUISES, ["127.0.0.1", "169.254.169.254", "[::1]"]):
        yield disguise.format(bad=bad, good="public.example", port=PORT)


def lying_names() -> dict[str, list[list[str]]]:
    """Names whose one answer holds a forbidden address: alone, first, last, amid many."""
    shapes = [
        lambda a: [a],
        lambda a: [a, PUBLIC_V4],
        lambda a: [PUBLIC_V4, a],
        lambda a: [PUBLIC_V6, PUBLIC_V4, a],
    ]
    return {
        f"lie-{number}.example": [shape(address)]
        for number, (address, shape) in enumerate(itertools.product(ADDRESSES, shapes))
    }


HOSTILE = list(
    dict.fromkeys([*spelled(), *disguised(), *(f"http://{name}:{PORT}/" for name in lying_names())])
)


class Canary:
    """Listens on every IPv4 and IPv6 address of this machine, counts who comes and hangs up."""

    def __init__(self) -> None:
        self._socket = socket.create_server(
            ("::", 0), family=socket.AF_INET6, dualstack_ipv6=True, backlog=128
        )
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()
        self.port: int = self._socket.getsockname()[1]
        self.hits = 0

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                sock, _ = self._socket.accept()
                self.hits += 1
                sock.close()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()


@pytest.fixture
def canary() -> Iterator[Canary]:
    canary = Canary()
    yield canary
    canary.close()


@pytest.fixture(scope="module")
def server() -> Iterator[HostileServer]:
    with HostileServer() as running:
        yield running


class World:
    """An outbound for which port and canary are open, public names work, and every dial is remembered."""

    def __init__(self, server: HostileServer, canary: Canary) -> None:
        self.names = Names({"public.example": [[PUBLIC_V4]], **lying_names()})
        self.dialler = Dialler(server.port)
        self.outbound = Outbound(
            allow_private=False,
            allowed_ports=frozenset({canary.port}),
            resolve=self._resolve,
            dial=self.dialler,
        )

    def _resolve(self, host: str, port: int) -> list[str]:
        """The table's names, and the system's resolver for what it would take for a number."""
        in_table = host.endswith(".example")
        return list(self.names(host, port) if in_table else look_up(host, port))

    def get(self, url: str) -> bytes:
        return self.outbound.get(url, max_bytes=1000, deadline=5).body

    def forbidden_dials(self) -> list[str]:
        return [
            address for address, _ in self.dialler.dialled if not is_public(ip_address(address.split("%")[0]))
        ]


@pytest.fixture
def world(server: HostileServer, canary: Canary) -> World:
    return World(server, canary)


def is_harmless(url: str, way: Callable[[str], str] = str) -> bool:
    """Whether only a fragment is odd, or it is, as the aim of a redirect, a path of the public server."""
    relative = re.match(r"http:/(?!/[^/])", url) is not None
    return url.startswith("http://public.example:80#") or (way is redirect_to and relative)


def redirect_to(url: str) -> str:
    return "http://public.example/to/" + quote(url.encode("utf-8", "replace"), safe="")


def test_there_are_at_least_500_hostile_urls() -> None:
    assert len(HOSTILE) >= 500


@pytest.mark.parametrize("way", [str, redirect_to], ids=["direct", "by redirect"])
@pytest.mark.slow
def test_no_hostile_url_reaches_anything_and_all_are_refused_alike(
    world: World, canary: Canary, way: Callable[[str], str]
) -> None:
    passed, answers = [], set()
    for hostile in HOSTILE:
        try:
            world.get(way(hostile.replace(str(PORT), str(canary.port))))
            passed.append(hostile)
        except UnusableUrl as error:
            answers.add((error.code, error.detail))
    assert canary.hits == 0
    assert world.forbidden_dials() == []
    assert [url for url in passed if not is_harmless(url, way)] == []
    assert answers == {(CODE, SENTENCE)}


@pytest.mark.parametrize("call", ["check", "post"])
def test_checking_and_posting_refuse_them_too(world: World, canary: Canary, call: str) -> None:
    for hostile in itertools.filterfalse(is_harmless, HOSTILE):
        url = hostile.replace(str(PORT), str(canary.port))
        with pytest.raises(UnusableUrl):
            world.outbound.check(url) if call == "check" else world.outbound.post(
                url, body=b"", headers={}, deadline=5
            )
    assert (canary.hits, world.dialler.dialled) == (0, [])


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_name_that_turns_hostile_after_its_check_is_never_dialled(
    world: World, canary: Canary, address: str
) -> None:
    """DNS rebinding: the first answer is public, every later one is not."""
    world.names.answers["rebind.example"] = [[PUBLIC_V4], [address]]
    assert world.get("http://rebind.example/ok") == b"fine"
    with pytest.raises(UnusableUrl):
        world.get(f"http://rebind.example:{canary.port}/")
    assert (canary.hits, world.forbidden_dials()) == (0, [])


def test_one_request_looks_its_name_up_once(world: World) -> None:
    world.get("http://public.example/ok")
    assert world.names.asked == ["public.example"]


def test_a_destination_that_passed_its_check_is_checked_again_when_posted_to(
    world: World, canary: Canary
) -> None:
    world.names.answers["rebind.example"] = [[PUBLIC_V4], ["127.0.0.1"]]
    url = f"http://rebind.example:{canary.port}/"
    world.outbound.check(url)
    with pytest.raises(UnusableUrl):
        world.outbound.post(url, body=b"", headers={}, deadline=5)
    assert canary.hits == 0


@pytest.mark.parametrize("port", [1, 22, 25, 81, 8080, 9200])
def test_other_ports_of_public_addresses_are_refused(world: World, port: int) -> None:
    with pytest.raises(UnusableUrl):
        world.get(f"http://public.example:{port}/ok")
    assert world.dialler.dialled == []


@pytest.mark.parametrize(
    "url",
    [
        "http://public.example/ok",
        "http://public.example:443/ok",
        "HTTP://PUBLIC.EXAMPLE.:80/ok",
        "http://ｐublic。example/ok",
        f"http://{PUBLIC_V4}/ok",
        f"http://[{PUBLIC_V6}]/ok",
        "http://public.example/to/%2Fok",
        "http://public.example/to/http%3A%2F%2Fpublic.example%2Fok",
        f"http://public.example:{PORT}/ok",
    ],
)
def test_honest_urls_pass(world: World, canary: Canary, url: str) -> None:
    assert world.get(url.replace(str(PORT), str(canary.port))) == b"fine"


def test_the_canary_would_sing(canary: Canary) -> None:
    local = Outbound(allow_private=True, allowed_ports=frozenset())
    for host in ("127.0.0.1", "127.9.8.7", "[::1]", "localhost"):
        with pytest.raises(UnusableUrl):
            local.get(f"http://{host}:{canary.port}/", max_bytes=1, deadline=5)
    assert canary.hits == 4


@pytest.mark.parametrize("way", [str, redirect_to], ids=["direct", "by redirect"])
def test_the_local_stage_opens_nothing_but_loopback(
    server: HostileServer, canary: Canary, way: Callable[[str], str]
) -> None:
    dialler = Dialler(server.port)
    names = Names({"public.example": [[PUBLIC_V4]]})
    outbound = Outbound(
        allow_private=True, allowed_ports=frozenset({canary.port}), resolve=names, dial=dialler
    )
    elsewhere = [f"http://{address}/" for address in FORBIDDEN_V4[2:]]
    elsewhere += [
        f"http://[{address}]/" for address in (*FORBIDDEN_V6[1:], "::ffff:127.0.0.1", "::127.0.0.1")
    ]
    for url in elsewhere:
        with pytest.raises(UnusableUrl):
            outbound.get(way(url), max_bytes=1000, deadline=5)
    assert {address for address, _ in dialler.dialled} <= {PUBLIC_V4}
