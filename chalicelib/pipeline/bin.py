"""The bin: a deleted image stays in it for ``BIN_DAYS``, and can be restored.

An image in the bin is in no other list, query or count. Its object, thumbnail, labels, corrections and
history stay. To erase an image, it is put into the bin with zero days left; if a worker dies on the way, the
sweep finishes the deletion.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable

from chalicelib.errors import Conflict, NotFound, Superseded, Unavailable
from chalicelib.ids import millisecond_at, rfc3339
from chalicelib.intake.objects import StoredObject
from chalicelib.library.images import UPLOAD_SECONDS
from chalicelib.library.record import Record, parse_key
from chalicelib.model import Image, ObjectUploaded
from chalicelib.pipeline.arrival import send_to_labeler
from chalicelib.wiring import Services

TRIES = 8
DAY_SECONDS = 24 * 3600
LOOK_AGAIN_SECONDS = 120.0  # a copy has usually been labelled and indexed by then
LAST_LOOK_SECONDS = 2 * DAY_SECONDS

Check = Callable[[Record], object]  # a precondition: raises if the record does not meet it


def accept_any(record: Record) -> None:
    """No precondition."""


def refuse_binned(record: Record) -> None:
    """:raises Conflict: the image is in the bin, where it cannot be changed."""
    if record.image.binned:
        raise Conflict("The image is in the bin; restore it first.", code="binned")


def delete_image(
    owner: str, image_id: str, services: Services, *, permanent: bool = False, check: Check = accept_any
) -> Image | None:
    """Put an image into the bin, or erase it; returns the image in the bin, None if it is erased.

    :raises NotFound: there is no such image.
    """
    days = 0 if permanent else services.settings.bin_days

    def binned(record: Record) -> Record | None:
        check(record)
        if record.image.binned and not permanent:
            return None
        return _binned(record, services.now(), days)

    image = services.images.edit(owner, image_id, binned, "binned")[0].image
    if _is_due(image, services):
        erase_due(owner, image_id, services)
        return None
    return image


def restore_image(owner: str, image_id: str, services: Services) -> tuple[Image, bool]:
    """Take an image out of the bin; returns the image, and whether it was in the bin.

    An image without a result is sent to the labeler again; others get their labels and corrections back.

    :raises NotFound: there is no such image (any more).
    :raises Conflict: its object is no longer in the bucket.
    """

    def restored(record: Record) -> Record | None:
        if not record.image.binned:
            return None
        if _is_due(record.image, services):
            raise NotFound(f"There is no image {image_id}.")
        etag = services.objects.etag(record.image.key)
        if etag is None and record.image.etag:
            raise Conflict(
                "Its file is no longer in the bucket; put it there again under the same key.",
                code="object-missing",
            )
        return out_of_bin(record, etag, services.now())

    record, changed = services.images.edit(owner, image_id, restored, "restored")
    if changed and record.image.status == "labelling":
        send_to_labeler(record.image, services)
    return record.image, changed


def out_of_bin(record: Record, etag: str | None, now: float) -> Record:
    """The record of an image that leaves the bin; ``etag`` is that of the object under its key, if any."""
    before = record.binned_from or "labelled"
    final = before in ("labelled", "failed") and (etag or "") == record.image.etag
    status = before if final or etag is None else "labelling"
    image = dataclasses.replace(
        record.image,
        status=status,
        binned_at=None,
        erases_at=None,
        missing=False,
        restored_at=rfc3339(now) if final else record.image.restored_at,
        result=record.image.result + final,
    )
    due_at = rfc3339(now + UPLOAD_SECONDS) if status == "awaiting_upload" else ""
    return dataclasses.replace(record, image=image, binned_from=None, due_at=due_at)


def bin_missing(record: Record, services: Services) -> None:
    """Put an image whose object was removed from the bucket into the bin.

    The sweep looks for a copy of the object later, with backoff, because the removal may be part of a rename.

    :raises Superseded: the record has changed meanwhile.
    """
    now = services.now()
    lost = _binned(record, now, services.settings.bin_days, missing=True)
    image = services.images.change(record, lost, "binned", look_at=next_look(lost.image, now)).image
    if _is_due(image, services):
        erase_due(image.owner, image.id, services)


def next_look(missing: Image, now: float) -> str:
    """When the sweep looks for a copy of a missing image's object again (RFC 3339).

    The time since its loss grows fourfold with each look; the last look is when the image is erased.
    """
    gone_for = now - millisecond_at(missing.binned_at or "") / 1000
    wait = max(LOOK_AGAIN_SECONDS, 3 * gone_for)
    last = missing.erases_at or ""
    return min(rfc3339(now + wait), last) if gone_for + wait < LAST_LOOK_SECONDS else last


def restore_reuploaded(
    record: Record, uploaded: ObjectUploaded, stored: StoredObject, services: Services
) -> Record | None:
    """Restore an image in the bin if its object was put into the bucket again; None if it was not.

    An image that a person deleted comes back only if the object is newer than the deletion and the API did
    not make its key: an API upload may be late. S3 stores an object's time in whole seconds, its event has
    milliseconds.

    :raises Superseded: the record has changed meanwhile.
    """
    image = record.image
    own, since = parse_key(image.key) is None, millisecond_at(image.binned_at or "") / 1000
    event_at = uploaded.moment if uploaded.etag == stored.etag else None
    if not image.missing and not (own and max(stored.modified, event_at or 0.0) > since):
        return None
    return services.images.change(record, out_of_bin(record, stored.etag, services.now()), "restored")


def erase_due(owner: str, image_id: str, services: Services) -> None:
    """Erase an image whose time in the bin is over: first its object, then its record.

    The projection removes its derived data, within seconds.
    """
    for _ in range(TRIES):
        record = services.images.find(owner, image_id)
        if record is None or not _is_due(record.image, services):
            return
        if record.image.missing:  # whatever object has this key was put there later
            services.objects.delete_derived(record.image.key)
        else:
            services.objects.delete(record.image.key)
        with contextlib.suppress(Superseded):
            services.images.erase(record)
            return
    raise Unavailable(f"Image {image_id} keeps changing; ask again.")


def _binned(record: Record, now: float, days: int, *, missing: bool = False) -> Record:
    """The record of an image that goes into the bin, without a claim."""
    before = record.image
    image = dataclasses.replace(
        before,
        status="binned",
        binned_at=before.binned_at or rfc3339(now),
        erases_at=rfc3339(now + days * DAY_SECONDS),
        missing=missing or before.missing,
        result=before.result + (before.result > 0 and not before.binned),
    )
    return dataclasses.replace(
        record,
        image=image,
        binned_from=record.binned_from or before.status,
        lease_until=0.0,
        attempts=0,
        released=0,
        claim="",
    )


def _is_due(image: Image, services: Services) -> bool:
    return image.erases_at is not None and image.erases_at <= rfc3339(services.now())
