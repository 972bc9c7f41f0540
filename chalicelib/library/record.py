"""An image record as it is stored, and the keys that lead to it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from dataclasses import dataclass

from chalicelib.expressions import Item, Key
from chalicelib.ids import is_id
from chalicelib.library.corrections import effective
from chalicelib.library.index import Entry
from chalicelib.model import DEFAULT_OWNER, Correction, Image, Json, Label


@dataclass(frozen=True)
class Relabel:
    """A wish to have an image recognised again, said ``at`` a time (seconds since 1970).

    An answer that was kept before then is not good enough, unless its model is sure to be today's.
    ``labelled`` says whether there are labels to go back to if nothing comes of it.
    """

    at: float
    labelled: bool


@dataclass(frozen=True)
class Record:
    """An image as it is stored.

    ``seen`` is what the recogniser saw, apart from what a person says, and ``answer`` names the kept answer
    it was taken from. ``terms`` is what the index holds for it now, ``announced`` the number of the last
    result that was made known, ``attempts`` the claims since that result and ``released`` those of them that
    were given back, ``lease_until`` when the present ``claim`` ends (seconds since 1970). ``relabel`` stays
    until the next result.
    """

    image: Image
    revision: str
    terms: dict[str, Entry] = dataclasses.field(default_factory=dict)
    lease_until: float = 0.0
    announced: int = 0
    attempts: int = 0
    released: int = 0
    claim: str = ""
    seen: tuple[Label, ...] = ()
    answer: str = ""
    relabel: Relabel | None = None

    @property
    def interrupted(self) -> int:
        """How many workers have claimed the image and were not heard of again, the present one included."""
        return self.attempts - self.released

    @property
    def settled(self) -> bool:
        """Nothing is left to do: there is a result and it has been made known."""
        return self.image.final and self.announced == self.image.result

    def told(self, seen: Iterable[Label], corrections: tuple[Correction, ...]) -> Record:
        """The record of an image on which this was seen and of which a person says this."""
        kept = tuple(seen)
        image = dataclasses.replace(self.image, labels=effective(kept, corrections), corrections=corrections)
        return dataclasses.replace(self, image=image, seen=kept)

    def to_item(self) -> Item:
        terms = {term: [entry.confidence, entry.instances, entry.shard] for term, entry in self.terms.items()}
        return {
            "revision": self.revision,
            # The labels follow from what was seen and said; kept once, they leave room for twice as many.
            "image": _compact({**self.image.to_json(), "labels": []}),
            "seen": _compact([label.to_json() for label in self.seen]),
            "terms": _compact(terms),
            "lease_until": self.lease_until,
            "announced": self.announced,
            "attempts": self.attempts,
            "released": self.released,
            "claim": self.claim,
            "answer": self.answer,
            "relabel": _compact(dataclasses.asdict(self.relabel)) if self.relabel else "",
        }

    @classmethod
    def from_item(cls, item: Item) -> Record:
        terms = json.loads(str(item["terms"]))
        image = Image.from_json(json.loads(str(item["image"])))
        record = cls(
            image=image,
            revision=str(item["revision"]),
            terms={term: Entry(*numbers) for term, numbers in terms.items()},
            lease_until=float(item["lease_until"]),
            announced=int(item["announced"]),
            attempts=int(item["attempts"]),
            released=int(item["released"]),
            claim=str(item["claim"]),
            answer=str(item["answer"]),
            relabel=Relabel(**json.loads(str(item["relabel"]))) if item["relabel"] else None,
        )
        return record.told(map(Label.from_json, json.loads(str(item["seen"]))), image.corrections)


def _compact(data: Json | list[Json]) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def key_for(owner: str, image_id: str) -> str:
    """The object key of an image that comes through the API."""
    return f"uploads/~{owner}/{image_id}"


def parse_key(key: str) -> tuple[str, str] | None:
    """(owner, image id) of a key made by :func:`key_for`, None for a key of somebody's own."""
    match key.split("/"):
        case ["uploads", owner, image_id] if owner.startswith("~") and is_id(image_id):
            return owner[1:], image_id
    return None


def record_key(owner: str, image_id: str) -> Key:
    return Key(f"{owner}#image#{image_id}", "record")


def lookup_key(key: str) -> Key:
    return Key(f"{DEFAULT_OWNER}#key#{key}", "lookup")
