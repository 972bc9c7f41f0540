"""A stored object is made ready: described in its record, shown small, and fit for a recogniser."""

from __future__ import annotations

import dataclasses
from typing import Any

from chalicelib.intake.metadata import Exif
from chalicelib.intake.objects import StoredObject
from chalicelib.intake.photos import Prepared, check_bytes, prepare
from chalicelib.model import Image, Photo
from chalicelib.wiring import Services

# What a record says of a file that nobody has looked into yet.
NOTHING_SEEN: dict[str, Any] = {
    "content_type": None,
    "width": None,
    "height": None,
    "preview": False,
    "warnings": (),
    "taken_at": None,
    "taken_at_source": None,
    "camera": None,
    "location": None,
    "labels": (),
    "model": None,
    "properties": None,
    "moderation": None,
    "text": None,
    "caption": None,
    "copied_from": None,
    "error": None,
}


def prepared(image: Image, stored: StoredObject, services: Services) -> tuple[Image, Photo, bytes]:
    """The image with what its file tells of it, the photo for the recogniser, and the XMP packet in the file.

    The thumbnail is stored.

    :raises UnusableImage: the file cannot be read.
    """
    chosen = services.settings
    check_bytes(stored.size, chosen.max_image_bytes)
    content = stored.content or b""
    made = prepare(content, max_bytes=chosen.max_image_bytes, max_pixels=chosen.max_image_pixels)
    services.objects.write_thumbnail(image.key, made.thumbnail)
    described = _described(image, made, keep_exif=chosen.keep_exif)
    if made.converted is None:
        where = (chosen.bucket, image.key)
        photo = Photo(made.plain or content, made.content_type, made.width, made.height, *where)
    else:
        photo = Photo(made.converted, "image/jpeg", made.width, made.height, chosen.bucket, None)
    return described, photo, made.xmp


def drop_outdated_thumbnail(before: Image, after: Image, services: Services) -> None:
    """Remove the thumbnail of an earlier object where the present one cannot be read."""
    if before.width is not None and after.width is None:
        services.objects.delete_thumbnail(after.key)


def _described(image: Image, made: Prepared, *, keep_exif: bool) -> Image:
    kept = made.exif if keep_exif else Exif()
    return dataclasses.replace(
        image,
        content_type=made.content_type,
        width=made.width,
        height=made.height,
        preview=made.preview,
        warnings=made.warnings,
        taken_at=made.exif.taken_at,
        taken_at_source=made.exif.taken_at_source,
        camera=kept.camera,
        location=kept.location,
    )
