"""What a batch of the table's stream says: which images changed, and what has been done for them so far."""

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
    """What a batch of the stream says of one image: its newest record, and those that came before it.

    ``stored`` is None where the record itself has gone, which counts as one more change of its ``version``.
    ``passed`` begins with the record as it was before the batch: the change that led to it may have been
    given up. ``marker`` is what has been done for the image so far, ``rules`` are its owner's renames.
    """

    owner: str
    image_id: str
    version: int = 0
    stored: StoredImage | None = None
    passed: list[StoredImage] = field(default_factory=list)
    sequence_numbers: list[str] = field(default_factory=list)
    marker: Marker = field(default_factory=Marker)
    rules: Rules = field(default_factory=Rules)

    @property
    def present(self) -> StoredImage | None:
        """The record, if there is still an image."""
        return None if self.stored is None or self.stored.erased else self.stored

    @property
    def is_news(self) -> bool:
        """Whether something is to be done: no repeat, and no row that goes after all else has gone."""
        return self.version > self.marker.version and (self.stored is not None or bool(self.marker.entries))

    @property
    def key(self) -> str:
        """The object's key."""
        own = self.stored.key if self.stored else ""
        return own or self.marker.key or key_for(self.owner, self.image_id)

    @property
    def untold(self) -> list[StoredImage]:
        """The results that nobody has been told of yet; of one that has gone, only that it was deleted."""
        results: dict[int, StoredImage] = {}
        if self.present is None and self.marker.gone:
            return []
        for one in filter(None, (*self.passed, self.stored)):
            if one.result > self.marker.result and (self.present is not None or one.binned):
                results.setdefault(one.result, one)
        return list(results.values())

    @property
    def attempted(self) -> list[IndexEntries]:
        """The entries that an attempt which broke off may have written: of all versions since the marker.

        A record that waits for another result may be seen as that only, and not as the result before.
        """
        documents = [one.document for one in self.passed]
        documents += [
            {**one.document, "status": status}
            for one in self.passed
            for status in (("labelled", "failed") if one.result and not one.final else ())
        ]
        return [*map(entries_of, documents), *([{PENDING: IndexEntry()}] if self.passed else [])]

    @cached_property
    def wanted(self) -> IndexEntries:
        """The index entries that the image is to have."""
        return entries_of(self.present.document) if self.present else {}

    def follow(self, stored: StoredImage | None, version: int) -> None:
        """Go on to a newer version of the record."""
        if version <= self.version:
            return
        if self.present:
            self.passed.append(self.present)
        self.version, self.stored = version, stored


def changes_in(event: Json) -> list[RecordChange]:
    """The images that the records of a batch tell of, in the order in which they come."""
    changes: dict[tuple[str, str], RecordChange] = {}
    for record in event["Records"]:
        told = record["dynamodb"]
        keys = decoded(told["Keys"])
        if keys["sk"] != SORT_KEY:  # the mapping's filter leaves these out, where it has been set
            continue
        old, stored = (
            StoredImage({**decoded(told[side]), **keys}) if told.get(side) else None
            for side in ("OldImage", "NewImage")
        )
        owner, image_id = image_of(Key(str(keys["pk"]), SORT_KEY))
        change = changes.setdefault((owner, image_id), RecordChange(owner, image_id))
        change.sequence_numbers.append(told["SequenceNumber"])
        before = old.version if old else 0
        if old:
            change.follow(old, before)
        change.follow(stored, stored.version if stored else before + 1)
    return list(changes.values())


def look_up(changes: Sequence[RecordChange], services: Services, *, with_record: bool = False) -> None:
    """Add to changes what has been done for their images and how their owners call labels, in one read."""
    keys = [marker_key(one.owner, one.image_id) for one in changes]
    keys += [rules_key(owner) for owner in dict.fromkeys(one.owner for one in changes)]
    keys += [record_key(one.owner, one.image_id) for one in changes if with_record]
    found = services.table.get_many(keys)
    for one in changes:
        one.marker = Marker.from_item(found.get(marker_key(one.owner, one.image_id)))
        one.rules = Rules.from_item(found.get(rules_key(one.owner)))
        one.passed = [each for each in one.passed if each.version > one.marker.version and _is_sound(each)]
        if with_record:
            item = found.get(record_key(one.owner, one.image_id))
            one.stored = StoredImage(item) if item else None
            one.version = one.stored.version if one.stored else one.marker.version + 1


def _is_sound(stored: StoredImage) -> bool:
    """Whether a record can be read; what cannot be was never projected."""
    try:
        return bool(stored.document)
    except Exception:
        return False
