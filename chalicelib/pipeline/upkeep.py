"""Nothing is forgotten: what is stuck or due goes back on its queue."""

from __future__ import annotations

from chalicelib.model import ObjectUploaded
from chalicelib.pipeline.batches import event_of
from chalicelib.wiring import Services

SWEEP_BACKOFF_SECONDS = 60.0
LONGEST_BACKOFF_SECONDS = 6 * 3600.0


def sweep(services: Services) -> None:
    """Put the images whose time has come back on the uploads queue, each less often than before."""
    for key in services.images.due():
        record = services.images.read(key)
        if record:
            services.uploads_queue.send(event_of(ObjectUploaded(record.image.key)))
            backoff = SWEEP_BACKOFF_SECONDS * 2**record.attempts
            services.images.put_off(record, min(backoff, LONGEST_BACKOFF_SECONDS))
