"""An image's way is short enough to be read: from the bucket's event to the stored result.

What grows beyond these bounds is a path that was cut into too many pieces, or goes through too many modules.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType

from chalicelib import pipeline
from tests.fakes.world import CAT, ROCKET, World, s3_event

BELOW = f"{Path(__file__).parents[1] / 'chalicelib'}/"
MOST_FILES = 27  # of which expressions.py is the fake table's
MOST_DEEP = 12
COMPREHENSIONS = {"<dictcomp>", "<listcomp>", "<setcomp>"}  # no calls of their own from Python 3.12 on


def test_an_image_is_labelled_in_few_modules_and_not_deep() -> None:
    world = World()
    pipeline.label_or_leave(s3_event(world.drop("uploads/first.jpg", CAT)), world, lambda: 60.0)  # type: ignore[arg-type]
    event = s3_event(world.drop("uploads/holiday/second.jpg", ROCKET))
    on_the_way: list[str] = []
    deepest: list[str] = []
    files: set[str] = set()

    def look(frame: FrameType, happened: str, _: object) -> None:
        nonlocal deepest
        path = frame.f_code.co_filename
        if not path.startswith(BELOW) or frame.f_code.co_name in COMPREHENSIONS:
            return
        if happened == "call":
            files.add(path.removeprefix(BELOW))
            on_the_way.append(f"{path.removeprefix(BELOW)}:{frame.f_code.co_qualname}")
            deepest = max(deepest, list(on_the_way), key=len)
        elif happened == "return" and on_the_way:
            on_the_way.pop()

    before = sys.getprofile()
    sys.setprofile(look)
    try:
        pipeline.label_or_leave(event, world, lambda: 60.0)  # type: ignore[arg-type]
    finally:
        sys.setprofile(before)
    assert world.image_at("uploads/holiday/second.jpg").status == "labelled"
    assert len(files) <= MOST_FILES, " ".join(sorted(files))
    assert len(deepest) <= MOST_DEEP, " > ".join(deepest)
