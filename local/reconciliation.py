"""At the start of a stack that has a past: photos and records are made to agree, by the rule of the audit.

They disagree where the last stack was killed between two steps, where a file of the folder was damaged, and
where somebody has put photos among the files or taken them away.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Container, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from chalicelib.errors import Superseded
from chalicelib.expressions import Item, Key, Update, decoded
from chalicelib.ids import moment_of, rfc3339
from chalicelib.library.record import SORT_KEY, Record, StoredImage, parse_key
from chalicelib.model import Image, ObjectUploaded
from chalicelib.pipeline.batches import event_of
from chalicelib.pipeline.repair import disagreements
from chalicelib.table import ConditionFailed
from chalicelib.wiring import Services
from local.persistence import Restored


@dataclass(frozen=True)
class Differences:
    """What files and records do not agree about, among so many ``images``.

    ``unlabelled`` are the ETags of photos without a result of their present bytes, by key; ``begun`` the
    records of images that somebody was labelling, by key; ``leased`` other items that somebody had taken;
    ``lost`` the keys of images whose photos have gone. Where records may have been lost, ``whole`` is false.
    """

    images: int
    unlabelled: Mapping[str, str]
    begun: Mapping[str, Record]
    leased: Sequence[Item]
    lost: Sequence[str]
    whole: bool


def differences(restored: Restored, table: str) -> Differences:
    """Compare the photos among the files with the records in ``table``."""
    records = {record.key: record for record in _records(restored.items.get(table, ()))}
    found = list(disagreements(records, restored.etags))
    return Differences(
        len(records),
        {one.key: one.etag for one in found if not one.removed},
        {key: Record.from_item(one.item) for key, one in records.items() if one.status == "labelling"},
        [_item(one) for one in restored.items.get(table, ()) if _is_leased(one)],
        [one.key for one in found if one.removed],
        restored.whole,
    )


class Reconciliation:
    """Has the labeler look at what does not agree, in a thread, as there may be thousands; a context manager.

    Whoever was labelling is no more, so nobody has to wait for the end of a lease. Where records were lost,
    the images of uploads come back under their ids; where none were, an upload without an image is what is
    left of one that was being deleted. ``told`` are the keys of photos that a message tells of already.
    """

    def __init__(self, found: Differences, told: Container[str], services: Services) -> None:
        self._found = found
        self._told = told
        self._services = services
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reconciliation", daemon=True)

    def __enter__(self) -> Reconciliation:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stopping.set()  # what is left is found again at the next start
        self._thread.join()

    def _run(self) -> None:
        found = self._found
        for item in found.leased:
            self._end_lease(item)
        for key in {**found.begun, **found.unlabelled}:
            if self._stopping.is_set():
                return
            self._have_labelled(key)
        for key in found.lost:
            if self._stopping.is_set():
                return
            self._services.uploads_queue.send(event_of(ObjectUploaded(key, removed=True)))

    def _end_lease(self, item: Item) -> None:
        key, seen = Key(str(item["pk"]), str(item["sk"])), {"revision": item["revision"]}
        with suppress(ConditionFailed):
            self._services.table.write(Update(key, set={"lease_until": 0.0}, when=seen))

    def _have_labelled(self, key: str) -> None:
        record = self._found.begun.get(key)
        if record and record.lease_until:
            self._services.images.release(record)
        if not self._found.whole:
            _remember(key, self._services)
        if key not in self._told:
            uploaded = ObjectUploaded(key, self._found.unlabelled.get(key, ""))
            self._services.uploads_queue.send(event_of(uploaded))


def _records(items: Iterable[Mapping[str, Any]]) -> Iterable[StoredImage]:
    for item in items:
        if item["sk"] == {"S": SORT_KEY} and not (found := StoredImage(_item(item))).erased:
            yield found


def _is_leased(item: Mapping[str, Any]) -> bool:
    lease = item.get("lease_until", {"N": "0"})
    return item["sk"] != {"S": SORT_KEY} and "revision" in item and float(lease["N"]) > 0


def _item(wire: Mapping[str, Any]) -> Item:
    return decoded({name: _read(value) for name, value in wire.items()})


def _read(value: Mapping[str, Any]) -> dict[str, Any]:
    """A value as a client reads it: binary ones are text on the wire alone."""
    return {kind: base64.b64decode(raw) if kind == "B" else raw for kind, raw in value.items()}


def _remember(key: str, services: Services) -> None:
    """Make the image anew that an upload was announced for."""
    if made := parse_key(key):
        owner, image_id = made
        created = rfc3339(moment_of(image_id) / 1000)
        image = Image(image_id, owner, key, "labelling", filename=image_id, created_at=created)
        with suppress(Superseded):
            services.images.create(image)
