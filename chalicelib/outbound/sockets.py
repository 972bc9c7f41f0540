"""Sockets that keep a deadline, whatever the other side does.

The usual timeouts bound one wait, so a byte now and then keeps a request alive for ever. Here each wait
(look-up, connect, handshake, send, receive) gets only the time that is left of the whole, and every byte that
is received is counted.
"""

from __future__ import annotations

import io
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

Resolve = Callable[[str, int], Sequence[str]]
Dial = Callable[[str, int, float], socket.socket]


class Deadline:
    """A moment, ``seconds`` from now, after which nothing is waited for."""

    def __init__(self, seconds: float) -> None:
        self._moment = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds left, more than 0; :exc:`TimeoutError` when there are none."""
        seconds = self._moment - time.monotonic()
        if seconds <= 0:
            raise TimeoutError("the deadline has passed")
        return seconds


class TooManyBytes(OSError):
    """The other side sent more bytes than its answer can need."""


class BoundedSocket:
    """A connected socket as :mod:`http.client` uses one: ``sendall``, ``makefile`` and ``close``.

    At most ``budget`` bytes are received, headers and framing included. ``close`` does nothing since
    :mod:`http.client` calls it before the answer is read: who opened the socket closes it.
    """

    def __init__(self, sock: socket.socket, deadline: Deadline, budget: int) -> None:
        self._sock = sock
        self._deadline = deadline
        self._file: io.BufferedIOBase = io.BufferedReader(_Received(sock, deadline, budget))

    def sendall(self, data: bytes) -> None:
        # Not the socket's own sendall: over TLS that one starts its clock anew for every record.
        rest = memoryview(data)
        while rest:
            self._sock.settimeout(self._deadline.left())
            rest = rest[self._sock.send(rest) :]

    def makefile(self, _mode: str) -> io.BufferedIOBase:
        return self._file

    def close(self) -> None: ...


class _Received(io.RawIOBase):
    def __init__(self, sock: socket.socket, deadline: Deadline, budget: int) -> None:
        self._sock = sock
        self._deadline = deadline
        self._budget = budget

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(self._deadline.left())
        count = self._sock.recv_into(buffer)
        self._budget -= count
        if self._budget < 0:
            raise TooManyBytes("more bytes than the answer can need")
        return count


def look_up(host: str, port: int) -> list[str]:
    """All addresses of ``host`` in the resolver's order; :exc:`OSError` where there are none."""
    return list(
        dict.fromkeys(str(answer[4][0]) for answer in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    )


def resolve_within(seconds: float, resolve: Resolve, host: str, port: int) -> Sequence[str]:
    """Resolve in a thread that is left behind when time is up: the system's resolver takes no timeout."""
    answer: Future[Sequence[str]] = Future()

    def run() -> None:
        try:
            answer.set_result(resolve(host, port))
        except OSError as error:
            answer.set_exception(error)

    threading.Thread(target=run, name="sightline-resolve", daemon=True).start()
    return answer.result(timeout=seconds)


def dial(address: str, port: int, seconds: float) -> socket.socket:
    """Connect to exactly this IP address; :exc:`OSError` where that fails or takes longer."""
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.settimeout(seconds)
        sock.connect((address, port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # head and body go in two writes
    except OSError:
        sock.close()
        raise
    return sock


def secured(sock: socket.socket, host: str, tls: ssl.SSLContext, deadline: Deadline) -> ssl.SSLSocket:
    """TLS over ``sock``, for the certificate of ``host``; the socket is closed where that fails."""
    try:
        sock.settimeout(deadline.left())
        return tls.wrap_socket(sock, server_hostname=host)
    except OSError:
        sock.close()
        raise
