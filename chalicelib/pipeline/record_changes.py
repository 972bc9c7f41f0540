"""Reads a batch of the table's stream: which images changed, and what is already projected of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from chalicelib.expressions import Key, decoded
from chalicelib.library.index import PENDING, IndexEntries, IndexEntry, entries_of
from chalicelib.library.markers import Marker, image_of, marker_key
from chalicelib.library.record import SORT_KEY, StoredImage, key_for, record_key
from chalicelib.library.renames import Rules, rules_key
from chalicelib.model import Json
from chalicelib.wiring import Services


@dataclass
class RecordChange:
    """The changes of one image in a batch of the stream.

    ``stored`` is the newest record; None if the row is gone, which counts as one more ``version``.
    ``earlier`` are the records before it. The first is the one from before the batch, because its own change
    may never have been projected. ``marker`` says what is projected, ``rules`` are the owner's renames.
    """

    owner: str
    image_id: str
    version: int = 0
    stored: StoredImage | None = None
    earlier: list[StoredImage] = field(default_factory=list)
    sequence_numbers: list[str] = field(default_factory=list)
    marker: Marker = field(default_factory=Marker)
    rules: Rules = field(default_factory=Rules)

    @property
    def present(self) -> StoredImage | None:
        """The newest record, None if the image is erased."""
        return None if self.stored is None or self.stored.erased else self.stored

    @property
    def is_new(self) -> bool:
        """Whether there is something to project: not for a repeat, nor for the expiry of a tombstone."""
        return self.version > self.marker.version and (self.stored is not None or bool(self.marker.entries))

    @property
    def key(self) -> str:
        """The key of the image's object."""
        own = self.stored.key if self.stored else ""
        return own or self.marker.key or key_for(self.owner, self.image_id)

    @property
    def unpublished(self) -> list[StoredImage]:
        """The records with results that are not published yet; for an erased image only its deletion."""
        results: dict[int, StoredImage] = {}
        if self.present is None and self.marker.gone:
            return []
        for one in filter(None, (*self.earlier, self.stored)):
            if one.result > self.marker.result and (self.present is not None or one.binned):
                results.setdefault(one.result, one)
        return list(results.values())

    @property
    def possibly_written(self) -> list[IndexEntries]:
        """The entries that an interrupted projection may have written, for every version since the marker.

        A relabelled record may be the only trace of its last result, so that result's entries are included.
        """
        documents = [one.document for one in self.earlier]
        documents += [
            {**one.document, "status": status}
            for one in self.earlier
            for status in (("labelled", "failed") if one.result and not one.final else ())
        ]
        return [*map(entries_of, documents), *([{PENDING: IndexEntry()}] if self.earlier else [])]

    @cached_property
    def wanted(self) -> IndexEntries:
        """The index entries that the image shall have."""
        return entries_of(self.present.document) if self.present else {}

    def advance_to(self, stored: StoredImage | None, version: int) -> None:
        """Take over a version of the record, unless it is older than the current one."""
        if version <= self.version:
            return
        if self.present:
            self.earlier.append(self.present)
        self.version, self.stored = version, stored


def changes_in(event: Json) -> list[RecordChange]:
    """The changed images of a batch, in the order of its records; changes of one image are merged."""
    changes: dict[tuple[str, str], RecordChange] = {}
    for record in event["Records"]:
        change_data = record["dynamodb"]
        keys = decoded(change_data["Keys"])
        if keys["sk"] != SORT_KEY:  # the event-source mapping's filter may not be set yet
            continue
        old, stored = (
            StoredImage({**decoded(change_data[side]), **keys}) if change_data.get(side) else None
            for side in ("OldImage", "NewImage")
        )
        owner, image_id = image_of(Key(str(keys["pk"]), SORT_KEY))
        change = changes.setdefault((owner, image_id), RecordChange(owner, image_id))
        change.sequence_numbers.append(change_data["SequenceNumber"])
        before = old.version if old else 0
        if old:
            change.advance_to(old, before)
        change.advance_to(stored, stored.version if stored else before + 1)
    return list(changes.values())


def look_up(changes: Sequence[RecordChange], services: Services, *, with_record: bool = False) -> None:
    """Read the markers and renames of changes in one batch, and with ``with_record`` the current records."""
    keys = [marker_key(one.owner, one.image_id) for one in changes]
    keys += [rules_key(owner) for owner in dict.fromkeys(one.owner for one in changes)]
    keys += [record_key(one.owner, one.image_id) for one in changes if with_record]
    found = services.table.get_many(keys)
    for one in changes:
        one.marker = Marker.from_item(found.get(marker_key(one.owner, one.image_id)))
        one.rules = Rules.from_item(found.get(rules_key(one.owner)))
        one.earlier = [each for each in one.earlier if each.version > one.marker.version and _is_sound(each)]
        if with_record:
            item = found.get(record_key(one.owner, one.image_id))
            one.stored = StoredImage(item) if item else None
            one.version = one.stored.version if one.stored else one.marker.version + 1


def _is_sound(stored: StoredImage) -> bool:
    """Whether a record can be read; one that cannot was never projected."""
    try:
        return bool(stored.document)
    except Exception:
        return False
