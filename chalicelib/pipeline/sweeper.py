"""The sweep: finds rows that are stuck or due, once a minute, and sends their messages again.

All kinds of rows are handled alike. The due index only says where to look; the row is read again. If it is
still due, it is postponed with backoff, and its message is sent. If it waits for a known time, it is
postponed to that time. If there is nothing left to do, it leaves the index. Each row is handled on its own.
Rows for which a minute is too short stay due until the next sweep.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.aws import TimeLeft, unhurried
from chalicelib.delivery import delivery_log
from chalicelib.delivery.delivery import Delivery
from chalicelib.due import put_offs_of
from chalicelib.expressions import Item, Key
from chalicelib.ids import rfc3339
from chalicelib.library import images, jobs, markers
from chalicelib.library.jobs import Job
from chalicelib.library.record import Record, StoredImage
from chalicelib.model import ObjectUploaded
from chalicelib.pipeline.batches import Attempts, event_of, for_each
from chalicelib.queues import Queue
from chalicelib.wiring import Services

log = logging.getLogger("sightline.sweep")

AT_ONCE = 10
BACKLOG = 100  # messages in a queue, from which on a due row's message is assumed to be among them
SECONDS_A_ROW = 10.0  # with less time left the rest waits for the next sweep
MINUTE = 60
HELD_FOR = 3  # postponements, 42 minutes in all, after which a message is sent in spite of a backlog

Act = Callable[[], object]


@dataclass(frozen=True)
class DueKind:
    """A kind of row: the ``shards`` of the due index that it is in, and how to handle a row.

    ``look`` returns an action, or the time (seconds since 1970) that the row waits for, or None if there is
    nothing left to do. ``queue`` is where the row's message may still be waiting.
    """

    shards: tuple[str, ...]
    look: Callable[[Key, Item, Services], Act | float | None]
    queue: Callable[[Services], Queue] | None = None


def sweep(services: Services, time_left: TimeLeft = unhurried) -> None:
    """Handle all due rows, as far as there is ``time_left``.

    Each minute begins with another kind, so that many rows of one kind do not keep the others waiting.
    """
    first = int(services.now() // MINUTE) % len(KINDS)
    kinds = KINDS[first:] + KINDS[:first]
    attempts = Attempts()
    for kind in kinds:
        with attempts.each():
            _sweep(kind, services, time_left)
    attempts.raise_first()


def _sweep(kind: DueKind, services: Services, time_left: TimeLeft) -> None:
    if time_left() < SECONDS_A_ROW:
        return
    backed_up = kind.queue is not None and kind.queue(services).backlog() >= BACKLOG

    def handle(key: Key) -> None:
        if time_left() >= SECONDS_A_ROW:
            _handle(key, kind, services, backed_up=backed_up)

    for_each(services.due.keys(kind.shards), handle, at_once=AT_ONCE)


def _handle(key: Key, kind: DueKind, services: Services, *, backed_up: bool) -> None:
    item = services.due.read(key)
    if item is None:
        return
    try:
        action = kind.look(key, item, services)
    except Exception:  # a row that cannot be read raises an error each time, with backoff
        services.due.put_off(key, item)
        raise
    if action is None:
        services.due.leave(key, item)
    elif isinstance(action, float):
        services.due.wait_until(key, item, action)
    elif services.due.put_off(key, item) and not (backed_up and put_offs_of(item) < HELD_FOR):
        action()


def _image(key: Key, item: Item, services: Services) -> Act | float | None:
    if StoredImage({**item, "pk": key.pk}).final:
        return None
    record = Record.from_item(item)
    if record.lease_until > services.now():
        return record.lease_until
    message = event_of(ObjectUploaded(record.image.key))
    return lambda: services.uploads_queue.send(message)


def _in_bin(key: Key, item: Item, services: Services) -> Act | float | None:
    """Erase an image whose time in the bin is over; before, look for a copy of a missing object."""
    image = StoredImage({**item, "pk": key.pk}).image
    if (image.erases_at or "") <= rfc3339(services.now()):
        from chalicelib.pipeline.bin import erase_due  # imported late: most sweeps erase nothing

        return lambda: erase_due(image.owner, image.id, services)
    message = event_of(ObjectUploaded(image.key, removed=True))
    return lambda: services.uploads_queue.send(message)


def _job(key: Key, item: Item, services: Services) -> Act | float | None:
    job = Job.from_item(item)
    return None if job.status != "running" else lambda: services.jobs_queue.send(job.message())


def _delivery(key: Key, item: Item, services: Services) -> Act | float | None:
    delivery = Delivery.from_item(item)
    if delivery.status != "pending":
        return None
    waits_until = max(delivery.lease_until, delivery.next_attempt_at)
    if waits_until > services.now() + delivery_log.SLACK_SECONDS:
        return waits_until
    return lambda: services.deliveries_queue.send(delivery.message())


def _unprojected(key: Key, item: Item, services: Services) -> Act | float | None:
    """Send an image that could not be projected through the stream again."""
    from chalicelib.pipeline.projection import project_again

    return lambda: project_again(key, services)


def _unconfirmed(key: Key, item: Item, services: Services) -> Act | float | None:
    """Publish a result again that no fan-out has confirmed."""
    from chalicelib.pipeline.projection import publish_again

    return lambda: publish_again(key, services)


KINDS = (
    DueKind(images.SHARDS, _image, lambda services: services.uploads_queue),
    DueKind(images.BIN_SHARDS, _in_bin),
    DueKind(jobs.SHARDS, _job, lambda services: services.jobs_queue),
    DueKind(delivery_log.SHARDS, _delivery, lambda services: services.deliveries_queue),
    DueKind(markers.REBUILD_SHARDS, _unprojected),
    DueKind(markers.FANOUT_SHARDS, _unconfirmed),
)
