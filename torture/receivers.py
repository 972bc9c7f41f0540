"""Receivers in a process of their own, on the loopback address: some live, others are dead in several ways.

Those behind ``/living/…`` take what comes, ``/failing/…`` answers 500, ``/hanging/…`` nothing at all; on
:func:`nobody`'s port connections are refused. Each has a port of its own, as each is an origin of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from local.config import ROOT
from local.loopback import HOST

LIVING, FAILING, HANGING, REFUSING = "living", "failing", "hanging", "refusing"
ANSWERS = {
    LIVING: b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
    FAILING: b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
}
STOPPING_SECONDS = 30
MOST = 40  # receivers


@dataclass
class Receivers:
    """Their ports; once they have gone home also what they say: ``posts`` and different ``ids`` by kind.

    ``repeated`` is how many deliveries came to the living more than once.
    """

    ports: list[int]
    refused: int
    posts: Counter[str] = field(default_factory=Counter)
    ids: Counter[str] = field(default_factory=Counter)
    repeated: int = 0

    def url(self, kind: str, number: int) -> str:
        """The address of one of a kind."""
        port = self.refused if kind == REFUSING else self.ports[number]
        return f"http://{HOST}:{port}/{kind}/{number}"


@contextmanager
def receivers() -> Iterator[Receivers]:
    """Have receivers for the length of a block; what they have to say is there after it."""
    command = [sys.executable, "-m", "torture.receivers"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": ROOT}
    with nobody() as refused, subprocess.Popen(command, **pipes) as process:  # type: ignore[call-overload]  # noqa: S603 - ours
        there = Receivers(list(map(int, process.stdout.readline().split())), refused)
        try:
            yield there
        finally:
            said, _ = process.communicate(timeout=STOPPING_SECONDS)
            told = json.loads(said)
            there.posts.update(told["posts"])
            there.ids.update(told["ids"])
            there.repeated = told["repeated"]


@contextmanager
def nobody() -> Iterator[int]:
    """A port that is taken, and on which nobody listens."""
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        yield taken.getsockname()[1]


class _House:
    """Answers by the first word of the path, and keeps the webhook ids that came to each kind."""

    def __init__(self) -> None:
        self.posts: Counter[str] = Counter()
        self.ids: defaultdict[str, Counter[str]] = defaultdict(Counter)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if line)
            await reader.readexactly(int(fields["content-length"]))
            kind = head.split(" ")[1].split("/")[1]
            self.posts[kind] += 1
            self.ids[kind][fields["webhook-id"]] += 1
            if kind == HANGING:
                await reader.read()  # until the other side has had enough
            else:
                writer.write(ANSWERS[kind])
        writer.close()

    def report(self) -> str:
        arrived = self.ids[LIVING]
        ids = {kind: len(found) for kind, found in self.ids.items()}
        return json.dumps({"posts": self.posts, "ids": ids, "repeated": arrived.total() - len(arrived)})


async def main() -> None:
    """Serve until the standard input ends, then tell what came."""
    house = _House()
    servers = [await asyncio.start_server(house.serve, HOST, 0, backlog=1024) for _ in range(MOST)]
    ports = [server.sockets[0].getsockname()[1] for server in servers]
    sys.stdout.write(f"{' '.join(map(str, ports))}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    sys.stdout.write(house.report())
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
