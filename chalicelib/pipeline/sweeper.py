"""Nothing is forgotten: whatever is stuck or due is come back to, by one rule for all kinds of rows.

The index only says where to look. A row that is still due when it is read is put off by a counter of its
own, and then somebody is told of it; a row that demonstrably waits for something waits for that, and one
that is settled leaves the index. Each row is seen to alone. What a minute is too short for stays due until
the next.
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
BACKLOG = 100  # messages of a queue, from which on what is due there is taken to be among them
SECONDS_A_ROW = 10.0  # with less time left the rest waits for the next minute
MINUTE = 60
HELD_FOR = 3  # put-offs, 42 minutes together, in which a backlog has to be gone

Act = Callable[[], object]


@dataclass(frozen=True)
class DueKind:
    """A kind of row: the ``shards`` of the index that it lies in, and what is to be done about one.

    ``look`` reads a row and answers what to do now, until when (seconds since 1970) it demonstrably waits,
    or None where it is settled. Where its message may still wait on a ``queue``, that is known here.
    """

    shards: tuple[str, ...]
    look: Callable[[Key, Item, Services], Act | float | None]
    queue: Callable[[Services], Queue] | None = None


def sweep(services: Services, time_left: TimeLeft = unhurried) -> None:
    """See to everything whose time has come, as far as there is ``time_left``.

    Each minute begins with another kind: however much there is of one, the others have their turn.
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

    def see_to(key: Key) -> None:
        if time_left() >= SECONDS_A_ROW:
            _see_to(key, kind, services, backed_up=backed_up)

    for_each(services.due.keys(kind.shards), see_to, at_once=AT_ONCE)


def _see_to(key: Key, kind: DueKind, services: Services, *, backed_up: bool) -> None:
    item = services.due.read(key)
    if item is None:
        return
    try:
        seen = kind.look(key, item, services)
    except Exception:  # a row that cannot be read is felt, later and later, and holds up nobody
        services.due.put_off(key, item)
        raise
    if seen is None:
        services.due.leave(key, item)
    elif isinstance(seen, float):
        services.due.wait_until(key, item, seen)
    elif services.due.put_off(key, item) and not (backed_up and put_offs_of(item) < HELD_FOR):
        seen()


def _image(key: Key, item: Item, services: Services) -> Act | float | None:
    if StoredImage({**item, "pk": key.pk}).final:
        return None
    record = Record.from_item(item)
    if record.lease_until > services.now():
        return record.lease_until
    message = event_of(ObjectUploaded(record.image.key))
    return lambda: services.uploads_queue.send(message)


def _in_bin(key: Key, item: Item, services: Services) -> Act | float | None:
    """An image whose time in the bin is over is erased; an object that has gone is looked for before."""
    image = StoredImage({**item, "pk": key.pk}).image
    if (image.erases_at or "") <= rfc3339(services.now()):
        from chalicelib.pipeline.bin import erase_due  # late: most minutes erase nothing

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
    """An image that could not be projected comes through the stream again, until its marker has caught up."""
    from chalicelib.pipeline.projection import project_again

    return lambda: project_again(key, services)


def _unconfirmed(key: Key, item: Item, services: Services) -> Act | float | None:
    """A result that no fan-out has confirmed is told of again."""
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
