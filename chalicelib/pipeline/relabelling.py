"""An image is recognised again because somebody wants it: another model, another threshold."""

from __future__ import annotations

import dataclasses

from chalicelib.errors import Conflict
from chalicelib.library.record import Record, Relabel
from chalicelib.model import Asked, Image
from chalicelib.pipeline.arrival import send_to_labeler
from chalicelib.pipeline.bin import refuse_binned
from chalicelib.wiring import Services


def relabel(owner: str, image_id: str, asked: Asked, services: Services) -> Image:
    """Put an image back to be labelled; what is not ``asked`` for stays as it was asked before.

    :raises NotFound: there is no such image.
    :raises Conflict: it has not been labelled yet, is just being labelled, or is in the bin.
    """

    def wished(record: Record) -> Record:
        refuse_binned(record)
        if not record.image.final:
            raise Conflict("The image is still to be labelled.", code="not-labelled-yet")
        given = {name: value for name, value in asked.asked().items() if value is not None}
        return dataclasses.replace(
            record,
            image=dataclasses.replace(record.image, status="labelling", **given),
            relabel=Relabel(services.now(), labelled=record.image.status == "labelled"),
        )

    image = services.images.edit(owner, image_id, wished)[0].image
    send_to_labeler(image, services)
    return image
