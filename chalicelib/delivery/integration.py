"""Where the integration server is: an address in the settings, or a secret that holds it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from chalicelib.named_secret import NamedSecret


class Integration:
    """The server that gets the XML: ``named`` is its address, ``secret:`` and a secret's name, or nothing."""

    def __init__(self, named: str, secrets: Callable[[], Any], now: Callable[[], float]) -> None:
        self._address = NamedSecret(named, secrets, now, what="http(s) URL", fits=is_address)

    def url(self) -> str:
        """The address; nothing where there is no such server.

        :raises Unavailable: the secret cannot be read or holds no address, so nobody knows yet whom to tell.
        """
        return self._address.text()


def is_address(text: str) -> bool:
    """Whether it is an http(s) URL with a host."""
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False
