"""Destinations: where deliveries go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from chalicelib.errors import UnusableUrl
from chalicelib.ids import derived_id
from chalicelib.named_secret import NamedSecret
from chalicelib.outbound.url import Target

INTEGRATION = "integration"
CALLBACK = "callback"
Format = Literal["json", "xml", "blob"]


@dataclass(frozen=True)
class Place:
    """A receiver's place: its ``origin`` (``https://example.com``), and the ``address``, an id of its URL.

    Another URL is another receiver; receivers at one origin share its circuit breaker.
    """

    origin: str
    address: str


@dataclass(frozen=True)
class Destination:
    """A receiver: ``name`` is ``integration``, ``callback`` or a subscription's id.

    ``owner`` and ``signer`` name the secret that signs its requests: each owner has one and each subscription
    its own. The integration server gets every owner's images and knows one secret, the default owner's.
    """

    name: str
    url: str
    format: Format
    owner: str
    signer: str

    @property
    def place(self) -> Place:
        return Place(origin_of(self.url), derived_id(self.name, self.url))


def origin_of(url: str) -> str:
    """Scheme, host and port of a URL in their usual spelling; empty for a URL that cannot be used."""
    try:
        return Target.of(url).origin
    except UnusableUrl:
        return ""


def integration_address(named: str, secrets: Callable[[], Any], now: Callable[[], float]) -> NamedSecret:
    """The integration server's address: ``named`` itself, or what the secret holds that it names.

    It is empty where there is no such server. Reading it raises :exc:`~chalicelib.errors.Unavailable` where
    the secret cannot be read or holds no address: then nobody knows yet whom to tell.
    """
    return NamedSecret(named, secrets, now, what="http(s) URL", fits=_is_address)


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False
