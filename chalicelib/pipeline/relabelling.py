"""An image is recognised again because somebody wants it: another model, another threshold."""

from __future__ import annotations

import contextlib
import dataclasses
import logging

from chalicelib.errors import Conflict, NotFound, Superseded, Transient, Unavailable
from chalicelib.library.record import Record, Relabel
from chalicelib.model import Asked, Image, ObjectUploaded
from chalicelib.pipeline.batches import event_of
from chalicelib.pipeline.bin import refuse_binned
from chalicelib.wiring import Services

log = logging.getLogger("sightline.relabelling")

TRIES = 8


def relabel(owner: str, image_id: str, asked: Asked, services: Services) -> Image:
    """Put an image back to be labelled; what is not ``asked`` for stays as it was asked before.

    :raises NotFound: there is no such image.
    :raises Conflict: it has not been labelled yet, is just being labelled, or is in the bin.
    """
    for _ in range(TRIES):
        record = services.images.find(owner, image_id)
        if record is None:
            raise NotFound(f"There is no image {image_id}.")
        refuse_binned(record)
        if not record.image.final:
            raise Conflict("The image is still to be labelled.", code="not-labelled-yet")
        with contextlib.suppress(Superseded):
            return _queued(services.images.change(record, _wished(record, asked, services)), services)
    raise Unavailable(f"Image {image_id} keeps changing; ask again.")


def _wished(record: Record, asked: Asked, services: Services) -> Record:
    given = {name: value for name, value in asked.asked().items() if value is not None}
    return dataclasses.replace(
        record,
        image=dataclasses.replace(record.image, status="labelling", **given),
        relabel=Relabel(services.now(), labelled=record.image.status == "labelled"),
    )


def _queued(record: Record, services: Services) -> Image:
    try:
        services.uploads_queue.send(event_of(ObjectUploaded(record.image.key)))
    except Transient as error:
        log.warning("left to the sweep: image %r: %s", record.image.id, error)
    return record.image
