"""Reading a URL, once: what this grammar finds is what is resolved, checked, dialled and asked for.

Sources: RFC 3986 §3; for host names RFC 1123 §2.1, and UTS #46 for those beyond ASCII.

Every URL that cannot be used gets the same answer. A text that differed by cause would tell a stranger which
names and ports exist inside the network that Sightline runs in. So the sentence states all the rules at once,
and the log keeps the reason.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from urllib.parse import quote, urljoin

from chalicelib.errors import UnusableUrl
from chalicelib.outbound.addresses import read_address

logger = logging.getLogger("sightline.outbound")

CODE = "url-not-fetched"
SENTENCE = (
    "The URL could not be used: it must be http or https without a user name, on port 80, 443 or another "
    "that is allowed here, lead to a public address, and answer in time, uncompressed and with few redirects."
)
MAX_URL_LENGTH = 4096
DEFAULT_PORTS = {"http": 80, "https": 443}

# Two parsers may disagree about any of these, so no reader gets to see them.
_AMBIGUOUS = re.compile(r"[\x00-\x20\x7f-\xa0\s\\\ufeff\ud800-\udfff]")
_URL = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>\[[0-9a-f:.]+\]|[^/?#@:\[\]%]+)"
    r"(?::(?P<port>[0-9]{0,5}))?"
    r"(?P<target>[/?][^#]*)?"
    r"(?:#.*)?",
    re.IGNORECASE | re.ASCII,
)
_NAME = re.compile(
    r"(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
)
_NUMBER = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)")
_ASCII_PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[]^_`{|}~"


@dataclass(frozen=True)
class Target:
    """Where a request goes.

    ``host`` is a lower-case ASCII name or a bare IP address, ``path`` is percent-encoded and has the query.
    """

    scheme: str
    host: str
    port: int
    path: str

    @classmethod
    def of(cls, url: str) -> Target:
        """Read ``url``; :exc:`UnusableUrl` for whatever is not a plain absolute http(s) URL."""
        if len(url) > MAX_URL_LENGTH or _AMBIGUOUS.search(url):
            raise refused("a URL", "it is too long or holds ambiguous characters")
        match = _URL.fullmatch(url)
        if match is None:
            raise refused("a URL", "it is no http(s) URL of the plain kind")
        scheme = match["scheme"].lower()
        return cls(scheme, _host(match["host"]), _port(match["port"], scheme), _path(match["target"] or "/"))

    @property
    def authority(self) -> str:
        """The value of the ``Host`` header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """What of the URL may be logged."""
        return f"{self.scheme}://{self.authority}"

    def redirected(self, location: str) -> Target:
        """Where ``location`` leads from here; :exc:`UnusableUrl` from https back to http."""
        try:
            # Header bytes arrive read as Latin-1; what is beyond ASCII is UTF-8 in practice.
            readable = location.encode("latin-1").decode("utf-8", "replace")
            onward = Target.of(urljoin(self.origin + self.path, readable))
        except ValueError as error:  # urljoin's, for brackets and the like
            raise refused(self.origin, f"its redirect cannot be read: {error}") from None
        if self.scheme == "https" and onward.scheme == "http":
            raise refused(self.origin, "it redirects from https to http")
        return onward


def refused(where: object, reason: object) -> UnusableUrl:
    """The error to raise; ``where`` names the place without path and query, which may hold secrets."""
    logger.warning("URL refused: %r: %s", str(where), reason)
    return UnusableUrl(SENTENCE, code=CODE)


def _host(raw: str) -> str:
    host = (raw if raw.isascii() else _ascii_name(raw)).lower().removesuffix(".")
    if raw.startswith("["):
        return _address(host[1:-1])
    # A name whose last part is a number is an IPv4 address to some readers (WHATWG URL, "ends in a number").
    if _NUMBER.fullmatch(host.rpartition(".")[2]):
        return _address(host)
    if not _NAME.fullmatch(host):
        raise refused("a URL", "its host is no name")
    return host


def _address(text: str) -> str:
    address = read_address(text)
    if address is None:
        raise refused("a URL", "its host is a number, but not an address in its usual form")
    return str(address)


def _ascii_name(name: str) -> str:
    import idna  # tables of some size, and few hosts need them

    try:
        return idna.encode(name, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise refused("a URL", f"its host is no international name: {error}") from None


def _port(raw: str | None, scheme: str) -> int:
    port = int(raw or DEFAULT_PORTS[scheme])
    if not 1 <= port <= 65_535:
        raise refused("a URL", f"there is no port {port}")
    return port


def _path(raw: str) -> str:
    return quote(raw if raw.startswith("/") else f"/{raw}", safe=_ASCII_PUNCTUATION)
