"""The only module that opens connections to addresses of users: it fetches photos and posts deliveries.

Every address a name resolves to is checked, and the connection goes to one of exactly these; names, ports and
certificates are those of the URL. :mod:`http.client` does the rest: it reads no proxy setting, password file
or cookie, decodes nothing, follows nothing, and takes the socket, path and ``Host`` that it is given, so
nobody reads the URL a second time.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from http.client import HTTPConnection, HTTPResponse
from typing import cast

from chalicelib.errors import DeliveryFailed
from chalicelib.outbound.addresses import is_loopback, is_public, read_address
from chalicelib.outbound.response import NETWORK_ERRORS, Headers, Reply, beginning, final_response, whole_body
from chalicelib.outbound.sockets import (
    BoundedSocket,
    Deadline,
    Dial,
    Resolve,
    dial,
    look_up,
    resolve_within,
    secured,
)
from chalicelib.outbound.url import SENTENCE, Target, refused

logger = logging.getLogger("sightline.outbound")

MAX_REDIRECTS = 3
MAX_DIALS = 4  # of the addresses of one name
FRAMING_BYTES = 65_536
STANDARD_PORTS = frozenset({80, 443})
REDIRECTS = frozenset({301, 302, 303, 307, 308})
HEADERS = {
    "User-Agent": "Sightline",
    "Accept": "*/*",
    "Accept-Encoding": "identity",  # a body of 300 kB can decompress to 300 MB
    "Connection": "close",
}


class Outbound:
    """HTTP to addresses that anybody may reach, on ports 80, 443 and ``allowed_ports``.

    ``allow_private`` allows this machine's loopback addresses, on every port, for the offline stack; no other
    private address and no metadata service. Deadlines are seconds for the whole call: look-up, connection,
    TLS, redirects and body. Threads may share an object.
    """

    def __init__(
        self,
        allow_private: bool,
        allowed_ports: frozenset[int],
        *,
        resolve: Resolve = look_up,
        dial: Dial = dial,
    ) -> None:
        self._allow_private = allow_private
        self._ports = STANDARD_PORTS | allowed_ports
        self._resolve = resolve
        self._dial = dial

    def check(self, url: str, *, deadline: float = 5.0) -> None:
        """Raise :exc:`UnusableUrl` where ``url`` may not be used, or leads nowhere, at this moment."""
        target = Target.of(url)
        try:
            self._addresses(target, Deadline(deadline))
        except OSError as error:
            raise refused(target.origin, error) from error

    def get(self, url: str, *, max_bytes: int, deadline: float) -> Reply:
        """Fetch ``url`` through at most 3 redirects, each checked as if it were new; any status is an answer.

        :exc:`UnusableUrl` with one sentence for whatever went wrong, and with the code ``too-large``
        for a body of more than ``max_bytes``.
        """
        target, clock = Target.of(url), Deadline(deadline)
        for _ in range(1 + MAX_REDIRECTS):
            reply = self._fetch(target, max_bytes, clock)
            if reply.status not in REDIRECTS or "location" not in reply.headers:
                return reply
            target = target.redirected(reply.headers["location"])
        raise refused(target.origin, "too many redirects")

    def post(
        self, url: str, *, body: bytes, headers: Mapping[str, str], deadline: float, max_bytes: int = 65_536
    ) -> Reply:
        """POST ``body`` and give the answer, of any status, with the first ``max_bytes`` of its body.

        A redirect is an answer too. :exc:`UnusableUrl` where the URL may not be used,
        :exc:`DeliveryFailed` where there was no answer.
        """
        target, clock = Target.of(url), Deadline(deadline)
        try:
            with self._exchange("POST", target, clock, max_bytes, body, headers) as answer:
                return Reply(answer.status, Headers(answer.getheaders()), beginning(answer, max_bytes))
        except NETWORK_ERRORS as error:
            logger.warning("no answer from %r: %r", target.origin, error)
            raise DeliveryFailed(_what_failed(error)) from error

    def _fetch(self, target: Target, max_bytes: int, clock: Deadline) -> Reply:
        try:
            with self._exchange("GET", target, clock, max_bytes) as answer:
                headers = Headers(answer.getheaders())
                # The body of a redirect is of no interest, and not worth waiting for.
                body = b"" if answer.status in REDIRECTS else whole_body(answer, max_bytes, target.origin)
                return Reply(answer.status, headers, body)
        except NETWORK_ERRORS as error:
            raise refused(target.origin, repr(error)) from error

    @contextlib.contextmanager
    def _exchange(
        self,
        method: str,
        target: Target,
        clock: Deadline,
        max_bytes: int,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[HTTPResponse]:
        with contextlib.closing(self._connected(target, clock)) as sock:
            # Twice the body leaves room for chunks of a few bytes each.
            bounded = cast(socket.socket, BoundedSocket(sock, clock, FRAMING_BYTES + 2 * max_bytes))
            connection = HTTPConnection(target.host, target.port)
            connection.sock = bounded
            # A server that has already answered may stop reading: its answer counts.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.request(
                    method, target.path, body, {**HEADERS, **(headers or {}), "Host": target.authority}
                )
            with final_response(bounded, method) as answer:
                yield answer

    def _connected(self, target: Target, clock: Deadline) -> socket.socket:
        sock = self._dial_one(self._addresses(target, clock), target.port, clock)
        return secured(sock, target.host, self._tls, clock) if target.scheme == "https" else sock

    def _addresses(self, target: Target, clock: Deadline) -> Sequence[str]:
        if read_address(target.host) is not None:
            found: Sequence[str] = [target.host]
        else:
            found = resolve_within(clock.left(), self._resolve, target.host, target.port)
        # One bad address is enough to refuse: an honest name does not mix public and private ones.
        if not found or not all(self._may_dial(address, target.port) for address in found):
            raise refused(target.origin, f"port {target.port} of {list(found)} may not be dialled")
        return found

    def _may_dial(self, text: str, port: int) -> bool:
        address = read_address(text)
        if address is None:
            return False
        if self._allow_private and is_loopback(address):
            return True
        return port in self._ports and is_public(address)

    def _dial_one(self, addresses: Sequence[str], port: int, clock: Deadline) -> socket.socket:
        *others, last = addresses[:MAX_DIALS]
        for waiting, address in zip(range(len(others) + 1, 1, -1), others, strict=True):
            with contextlib.suppress(OSError):
                return self._dial(address, port, clock.left() / waiting)
        return self._dial(last, port, clock.left())

    @functools.cached_property
    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        # Names stand in the alternative names alone (RFC 9525, section 2).
        context.hostname_checks_common_name = False
        return context


def _what_failed(error: Exception) -> str:
    """A sentence for the owner of a destination whose address was allowed."""
    for kind, sentence in _FAILURES:
        if isinstance(error, kind):
            return sentence
    return "The destination did not answer in HTTP."


_FAILURES: tuple[tuple[type[Exception], str], ...] = (
    (socket.gaierror, SENTENCE),  # as for a refused address: what names exist inside is nobody's business
    (TimeoutError, "The destination did not answer in time."),
    (ssl.SSLCertVerificationError, "The destination's certificate could not be verified."),
    (ssl.SSLError, "No TLS connection to the destination could be made."),
    (ConnectionRefusedError, "The destination refused the connection."),
    (ConnectionError, "The destination broke off the connection."),
    (OSError, "The destination could not be reached."),
)
