"""The bucket held against the records: what does not agree is looked at once more, as if S3 had told of it.

There should be nothing to find: this is for events that never came, for a bucket or a table that was
restored, and for folders that were changed while nothing ran. One rule for ``make repair`` and for the start
of ``make run``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from chalicelib.intake.objects import UPLOADS, is_litter, is_sidecar
from chalicelib.intake.photos import TOO_LARGE
from chalicelib.library.record import StoredImage, parse_key
from chalicelib.model import Image, ObjectUploaded


def is_photo(key: str) -> bool:
    """Whether an object is one that is taken in."""
    return key.startswith(UPLOADS) and not is_litter(key) and not is_sidecar(key)


def disagreements(records: Mapping[str, StoredImage], etags: Mapping[str, str]) -> Iterator[ObjectUploaded]:
    """What the labeler is to look at: photos that their record does not know, records whose photo has gone.

    Both are told by the object's key: the ``records`` of images, and the ``etags`` of what is in the bucket.
    """
    for key, etag in etags.items():
        if is_photo(key) and not _knows(records.get(key), etag):
            yield ObjectUploaded(key, etag)
    for key, record in records.items():
        if key not in etags and record.final and not record.binned and not _needs_none(record):
            yield ObjectUploaded(key, removed=True)


def is_dropped(image: Image) -> bool:
    """Whether the labeler has removed its object, as no photo is that large."""
    return image.error is not None and image.error.code == TOO_LARGE and parse_key(image.key) is not None


def _needs_none(record: StoredImage) -> bool:
    return not record.item.get("etag") or is_dropped(record.image)


def _knows(record: StoredImage | None, etag: str) -> bool:
    if record is None or not record.final:
        return False
    return not record.missing if record.binned else record.item.get("etag") == etag
