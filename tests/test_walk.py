"""The two ways of an image are short enough to be read: from event to result, from message to partner.

What grows beyond these bounds is a path that was cut into too many pieces, or goes through too many modules.
"""

from __future__ import annotations

import sys
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from chalicelib import pipeline
from tests.fakes.mail import Mail, sqs_event
from tests.fakes.receiver import FakeReceiver
from tests.fakes.world import CAT, ROCKET, World, s3_event

BELOW = f"{Path(__file__).parents[1] / 'chalicelib'}/"
MOST_FILES = 27  # of which expressions.py is the fake table's
MOST_DEEP = 12
COMPREHENSIONS = {"<dictcomp>", "<listcomp>", "<setcomp>"}  # no calls of their own from Python 3.12 on


class Walk:
    """The calls of ``chalicelib`` in a block, of all threads that it starts."""

    def __init__(self) -> None:
        self.files: set[str] = set()
        self.deepest: list[str] = []
        self._stacks: defaultdict[int, list[str]] = defaultdict(list)

    def look(self, frame: FrameType, happened: str, _: object) -> None:
        path, stack = frame.f_code.co_filename, self._stacks[threading.get_ident()]
        if not path.startswith(BELOW) or frame.f_code.co_name in COMPREHENSIONS:
            return
        if happened == "call":
            self.files.add(path.removeprefix(BELOW))
            stack.append(f"{path.removeprefix(BELOW)}:{frame.f_code.co_qualname}")
            self.deepest = max(self.deepest, list(stack), key=len)
        elif happened == "return" and stack:
            stack.pop()

    def assert_is_short(self) -> None:
        assert len(self.files) <= MOST_FILES, " ".join(sorted(self.files))
        assert len(self.deepest) <= MOST_DEEP, " > ".join(self.deepest)


@contextmanager
def walked() -> Iterator[Walk]:
    walk, before = Walk(), sys.getprofile()
    sys.setprofile(walk.look)
    threading.setprofile(walk.look)
    try:
        yield walk
    finally:
        sys.setprofile(before)
        threading.setprofile(None)  # type: ignore[arg-type]


def test_an_image_is_labelled_in_few_modules_and_not_deep() -> None:
    world = World()
    pipeline.label_or_leave(s3_event(world.drop("uploads/first.jpg", CAT)), world, lambda: 60.0)  # type: ignore[arg-type]
    event = s3_event(world.drop("uploads/holiday/second.jpg", ROCKET))
    with walked() as walk:
        pipeline.label_or_leave(event, world, lambda: 60.0)  # type: ignore[arg-type]
    assert world.image_at("uploads/holiday/second.jpg").status == "labelled"
    walk.assert_is_short()


def test_the_partner_is_told_in_few_modules_and_not_deep() -> None:
    world: Any = World(INTEGRATION_URL="https://partner.example/labels")
    world.outbound = FakeReceiver()
    for name, content in (("first", CAT), ("second", ROCKET)):
        pipeline.label_or_leave(s3_event(world.drop(f"uploads/{name}.jpg", content)), world, lambda: 60.0)
    Mail(world).announce()
    first, second = world.deliveries_queue.messages
    pipeline.deliver(sqs_event([first]), world)
    with walked() as walk:
        pipeline.deliver(sqs_event([second]), world)
    _, posted = world.outbound.posted
    assert posted.body.startswith(b"<?xml")
    assert "delivery/sender.py" in walk.files  # the worker's threads count too
    walk.assert_is_short()
