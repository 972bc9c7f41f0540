"""A person writes an image's caption: it outranks every model, now and whenever it is recognised again."""

from __future__ import annotations

import dataclasses

from chalicelib.errors import NotFound
from chalicelib.ids import rfc3339
from chalicelib.library.bounds import check_item
from chalicelib.library.corrections import effective_caption
from chalicelib.library.record import Record
from chalicelib.model import Caption, Image
from chalicelib.pipeline.bin import Check, anyhow, refuse_binned
from chalicelib.wiring import Services


def write_caption(
    owner: str,
    image_id: str,
    services: Services,
    *,
    text: str | None = None,
    alt: str | None = None,
    check: Check = anyhow,
) -> Image:
    """Let a person's words stand for the model's; what is None stays as it is shown.

    ``check`` raises where the image is not what the person has seen.

    :raises NotFound: there is no such image.
    :raises Conflict: it is in the bin.
    """

    def written(record: Record) -> Record | None:
        check(record)
        shown = record.image.caption or Caption("", "", "person")
        caption = Caption(
            shown.text if text is None else text, shown.alt if alt is None else alt, "person", shown.language
        )
        return _captioned(record, caption, services)

    return services.images.edit(owner, image_id, written, "corrected")[0].image


def take_back_caption(owner: str, image_id: str, services: Services, *, check: Check = anyhow) -> Image:
    """Let the model's caption count again, or none.

    :raises NotFound: there is no such image, or nobody has written a caption.
    :raises Conflict: it is in the bin.
    """

    def taken_back(record: Record) -> Record | None:
        check(record)
        caption = record.image.caption
        if caption is None or caption.source != "person":
            raise NotFound("Nobody has written a caption.", code="no-such-caption")
        return _captioned(record, effective_caption(record.seen_caption, record.image.labels, None), services)

    return services.images.edit(owner, image_id, taken_back, "corrected")[0].image


def _captioned(record: Record, caption: Caption | None, services: Services) -> Record | None:
    """The record with this caption as a new result; None where it stays as it is."""
    refuse_binned(record)
    image = record.image
    if image.caption == caption:
        return None
    image = dataclasses.replace(image, caption=caption)
    if image.final:  # else the result that is being made will have it
        now = rfc3339(services.now())
        image = dataclasses.replace(image, result=image.result + 1, corrected_at=now, restored_at=None)
    made = dataclasses.replace(record, image=image)
    check_item(made, before=record)
    return made
