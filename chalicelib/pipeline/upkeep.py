"""Nothing is forgotten: what is stuck or due goes back on its queue."""

from __future__ import annotations

from chalicelib.expressions import Key
from chalicelib.model import ObjectUploaded
from chalicelib.pipeline.batches import event_of, for_each
from chalicelib.wiring import Services

SWEEP_BACKOFF_SECONDS = 60.0
LONGEST_BACKOFF_SECONDS = 6 * 3600.0
AT_ONCE = 10


def sweep(services: Services) -> None:
    """Put the images, the jobs and the deliveries whose time has come back on their queues."""
    for_each([_sweep_images, _sweep_jobs, _sweep_deliveries], lambda part: part(services))


def _sweep_images(services: Services) -> None:
    """Images come back each time later than before."""
    for key in services.images.due():
        record = services.images.read(key)
        if record:
            services.uploads_queue.send(event_of(ObjectUploaded(record.image.key)))
            backoff = SWEEP_BACKOFF_SECONDS * 2**record.attempts
            services.images.put_off(record, min(backoff, LONGEST_BACKOFF_SECONDS))


def _sweep_jobs(services: Services) -> None:
    """A job whose message was lost goes on; one that is only slow gets one too many, which is harmless."""
    for job in services.jobs.due():
        services.jobs_queue.send(job.message())
        services.jobs.put_off(job)


def _sweep_deliveries(services: Services) -> None:
    """After an outage of a receiver many are due at once, so several threads see to them."""
    for_each(services.deliveries.due(), lambda key: _send(key, services), at_once=AT_ONCE)


def _send(key: Key, services: Services) -> None:
    delivery = services.deliveries.read(key)
    if delivery and services.deliveries.is_due(delivery):  # the index may be a moment behind
        services.deliveries_queue.send(delivery.message())
        services.deliveries.put_off(delivery)
