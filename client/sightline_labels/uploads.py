"""Uploads many photos at a time, and yields their outcomes in the order of the files."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sightline_labels.client import Client
from sightline_labels.errors import NotAllowed, NotReachable, SightlineError
from sightline_labels.files import Picked
from sightline_labels.image_calls import SETTLED
from sightline_labels.jpeg_xmp import NotEmbeddable, embed, others_in
from sightline_labels.sidecars import WHOLE, others_beside, write_sidecar
from sightline_labels.xmp_packet import NoPacket

LOOK_SECONDS = 0.2  # between two looks for Ctrl-C


@dataclass(frozen=True)
class Outcome:
    """What became of a file: the ``image`` as the service shows it, or a ``problem``; after ``seconds``.

    One that is ``known`` was not sent: an image had its bytes already. A ``note`` says what went otherwise.
    """

    name: str
    image: dict[str, Any]
    problem: str
    seconds: float
    known: bool = False
    note: str = ""

    @property
    def failed(self) -> bool:
        return bool(self.problem)


class Uploading:
    """Uploads files with ``at_once`` threads; iterate over it once.

    Where the service has gone or lets nobody in, the rest would fare no better: iterating then raises
    :exc:`NotReachable` or :exc:`NotAllowed`. With ``wait`` an outcome is the image's last one; with ``xmp``
    its labels are written for photo programs: beside the photo (``sidecar``, ``called`` so) or into it
    (``embed``).
    """

    def __init__(
        self,
        client: Client,
        picked: Sequence[Picked],
        *,
        at_once: int = 8,
        again: bool = False,
        wait: bool = True,
        xmp: str | None = None,
        called: str = WHOLE,
        wishes: dict[str, Any] | None = None,
    ) -> None:
        self._client = client
        self._waiting: queue.SimpleQueue[tuple[int, Picked]] = queue.SimpleQueue()
        self._done: dict[int, Outcome | SightlineError] = {}
        self._changed = threading.Condition()
        self._count = len(picked)
        self._at_once = at_once
        self._again = again
        self._wait = wait
        self._xmp = xmp
        self._called = called
        self._wishes = wishes or {}
        for numbered in enumerate(picked):
            self._waiting.put(numbered)

    def __iter__(self) -> Iterator[Outcome]:
        for _ in range(min(self._at_once, self._count)):
            # Nobody waits for these at Ctrl-C: the service labels what it has all the same.
            threading.Thread(target=self._run, daemon=True).start()
        for number in range(self._count):
            with self._changed:
                while number not in self._done:
                    self._changed.wait(LOOK_SECONDS)
            outcome = self._done.pop(number)
            if isinstance(outcome, SightlineError):
                raise outcome
            yield outcome

    def overtaken(self) -> list[Outcome]:
        """Outcomes that are ready, although earlier files are not."""
        return [one for _, one in sorted(self._done.items()) if isinstance(one, Outcome)]

    def _run(self) -> None:
        with suppress(queue.Empty):
            while True:
                number, one = self._waiting.get_nowait()
                outcome = self._outcome(one)
                with self._changed:
                    self._done[number] = outcome
                    self._changed.notify_all()

    def _outcome(self, one: Picked) -> Outcome | SightlineError:
        started, known, note = time.monotonic(), False, ""
        image: dict[str, Any] = {}
        try:
            uploaded = self._client.upload(one.path, name=one.name, again=self._again, **self._wishes)
            image, known = uploaded.image, uploaded.known
            for packet in (*others_beside(one.path), *([others_in(one.path)] if known else [])):
                image = self._client.add_xmp(uploaded.id, packet) if packet else image
            if self._wait and image["status"] not in SETTLED:
                image = self._client.wait(uploaded.id)
            problem = problem_of(image)
            if self._xmp and not problem:
                note = self._write(one, self._client.xmp(uploaded.id))
        except (NotReachable, NotAllowed) as gone:
            return gone
        except OSError as error:
            problem = error.strerror or str(error)
        except SightlineError as error:
            problem = str(error)
        return Outcome(one.name, image, problem, time.monotonic() - started, known, note)

    def _write(self, one: Picked, packet: bytes) -> str:
        """Write labels as they are wanted; says what they could not be embedded into."""
        note = ""
        if self._xmp == "embed":
            try:
                embed(one.path, packet)
                return ""
            except (NotEmbeddable, NoPacket) as error:
                note = f"{error} Its labels are beside it."
        write_sidecar(one.path, packet, self._called)
        return note


def problem_of(image: dict[str, Any]) -> str:
    """Why an image has failed; empty where it has not."""
    error = image.get("error")
    return f"{error['code']}: {error['detail']}" if error else ""
