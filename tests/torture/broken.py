"""``python -m tests.torture.broken HOW SEED``: a small schedule of a service that is broken on purpose.

What ``make torture`` would say of it, and how that would end.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from chalicelib.library import images
from chalicelib.library.record import Record
from chalicelib.pipeline import labelling, projection
from chalicelib.pipeline.record_changes import RecordChange
from chalicelib.queues import Queue
from torture import __main__, parts, schedules

IMAGES = 12


def lose_what_is_left_for_later() -> None:
    """What a worker cannot finish now is neither on the queue nor ever due."""
    send: Any = Queue.send

    def careless(queue: Queue, message: Any, **rest: Any) -> None:
        if "Records" not in message:
            send(queue, message, **rest)

    Queue.send = careless  # type: ignore[method-assign]
    images._item = Record.to_item


def label_whatever_is_told_of() -> None:
    """An event that is told again is taken for news."""
    labelling._is_old = lambda uploaded, image: False
    labelling._is_result_of = lambda stored, image: False


def forget_what_was_not_projected() -> None:
    """The changes of every third image are taken as done, though nobody has done them.

    A single one would be made good by the image's next change.
    """
    attempted: Any = projection._project_or_split
    known: dict[str, int] = {}

    def careless(chunk: Sequence[RecordChange], services: Any) -> Any:
        done = [one for one in chunk if known.setdefault(one.image_id, len(known)) % 3]
        return attempted(done, services) if done else []

    projection._project_or_split = careless


def keep_no_history() -> None:
    """Results leave no step."""
    projection.history.added = lambda stored: []


BREAKS = {
    "lost": lose_what_is_left_for_later,
    "doubled": label_whatever_is_told_of,
    "unprojected": forget_what_was_not_projected,
    "unremembered": keep_no_history,
}


def main(how: str, seed: int) -> int:
    """Break it, run it, and tell."""
    schedules.prepare()
    BREAKS[how]()
    parts.apart = lambda part, seed, scale: schedules.figures([schedules.schedule(seed, IMAGES)])
    return __main__.main(["--part", "schedules", "--seed", str(seed)])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
