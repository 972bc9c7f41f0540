"""A little internet on one machine: names with made-up addresses, and a dialler that remembers."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass, field

from chalicelib.outbound.addresses import is_public, read_address
from chalicelib.outbound.sockets import dial

PUBLIC_V4 = "93.184.215.14"
PUBLIC_V6 = "2606:2800:21f:cb07:6820:80da:af6b:8b2c"


@dataclass
class Names:
    """A resolver. Each look-up of a name takes the next of its answers; the last one stays."""

    answers: dict[str, list[Sequence[str]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        if host not in self.answers:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        answers = self.answers[host]
        return answers.pop(0) if len(answers) > 1 else answers[0]


@dataclass
class Dialler:
    """Remembers what was dialled. Public addresses are served on this machine, at ``stand_in``.

    Of the others only loopback is really dialled: a test that fails should not knock at a real network.
    """

    stand_in: int | None = None
    dialled: list[tuple[str, int]] = field(default_factory=list)

    def __call__(self, address: str, port: int, seconds: float) -> socket.socket:
        self.dialled.append((address, port))
        found = read_address(address)
        if self.stand_in is not None and found is not None and is_public(found):
            return dial("127.0.0.1", self.stand_in, seconds)
        if found is None or not found.is_loopback:
            raise OSError("dialled what must not be dialled")
        return dial(address, port, seconds)
