"""Where the offline runtime listens: on loopback, under the account and the region of its AWS."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from typing import Any

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

HOST = "127.0.0.1"
ACCOUNT = "123456789012"  # moto's
REGION = "eu-west-1"
BACKLOG = 128  # connections that wait to be taken


class PortTaken(Exception):
    """Another program listens on ``port``."""

    def __init__(self, port: int) -> None:
        super().__init__(f"Port {port} is taken by another program.")
        self.port = port


def listen(port: int) -> socket.socket:
    """A listening socket on ``port`` (0: any free one); :exc:`PortTaken` where somebody else has it."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # A stack that has just been stopped leaves closed connections behind; they do not block its successor.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise PortTaken(port) from None
    return listener


def free_ports(*after: int) -> list[int]:
    """A free port behind each of these, no two alike."""
    found: list[int] = []
    for start in after:
        candidates = (port for port in range(start + 1, 65_536) if port not in {*found, *after})
        found.append(next(port for port in candidates if _is_free(port)))
    return found


def _is_free(port: int) -> bool:
    try:
        listen(port).close()
    except PortTaken:
        return False
    return True
