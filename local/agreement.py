"""At the start of a stack that has a past: photos without a record are labelled, records without a photo end.

They disagree where the last stack was killed between two steps, where a file of the folder was damaged, and
where somebody has put photos among the files or taken them away.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from chalicelib.errors import Superseded
from chalicelib.expressions import decoded
from chalicelib.ids import moment_of, rfc3339
from chalicelib.intake.objects import UPLOADS
from chalicelib.library.record import Record, parse_key
from chalicelib.model import Image, ObjectUploaded
from chalicelib.pipeline import delete_image
from chalicelib.pipeline.batches import event_of
from chalicelib.wiring import Services
from local.keeping import Restored


@dataclass(frozen=True)
class Agreed:
    """How many images there are, how many photos are to be labelled, and how many images ended."""

    images: int
    to_label: int
    ended: int


def agree(restored: Restored, table: str, services: Services) -> Agreed:
    """Have labelled what has no result of its present bytes, and end what has lost them.

    Whoever was labelling is no more, so nobody has to wait for the end of a lease. Where items were lost, the
    images of uploads come back under their ids; where none were, an upload without an image is what is left
    of one that was being deleted.
    """
    records = {record.image.key: record for record in _records(restored.items.get(table, ()))}
    photos = {key: etag for key, etag in restored.etags.items() if _is_photo(key)}
    unlabelled = [key for key, etag in photos.items() if not _is_done(records.get(key), etag)]
    begun = [key for key, record in records.items() if record.image.status == "labelling"]
    lost = [
        record.image
        for key, record in records.items()
        if key not in photos and record.image.status == "labelled"
    ]
    for key in {*unlabelled, *begun}:
        if record := records.get(key):
            if record.lease_until:
                services.images.release(record)
        elif not restored.whole:
            _remember(key, services)
        services.uploads_queue.send(event_of(ObjectUploaded(key, photos.get(key, ""))))
    for image in lost:
        delete_image(image, services)
    return Agreed(len(records), len(unlabelled), len(lost))


def _records(items: Iterable[Mapping[str, Any]]) -> Iterable[Record]:
    for item in items:
        if item["sk"] == {"S": "record"} and "erased" not in item:
            yield Record.from_item(decoded({name: _read(value) for name, value in item.items()}))


def _read(value: Mapping[str, Any]) -> dict[str, Any]:
    """A value as a client reads it: binary ones are text on the wire alone."""
    return {kind: base64.b64decode(raw) if kind == "B" else raw for kind, raw in value.items()}


def _is_photo(key: str) -> bool:
    return key.startswith(UPLOADS) and not key.endswith("/")


def _is_done(record: Record | None, etag: str) -> bool:
    return record is not None and record.image.final and record.image.etag == etag


def _remember(key: str, services: Services) -> None:
    """Make the image anew that an upload was announced for."""
    if made := parse_key(key):
        owner, image_id = made
        created = rfc3339(moment_of(image_id) / 1000)
        image = Image(image_id, owner, key, "labelling", filename=image_id, created_at=created)
        with suppress(Superseded):
            services.images.create(image)
