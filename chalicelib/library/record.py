"""An image record as it is stored, and the keys that lead to it."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass

from chalicelib.expressions import Item, Key
from chalicelib.ids import is_id
from chalicelib.library.index import Entry
from chalicelib.model import DEFAULT_OWNER, Image


@dataclass(frozen=True)
class Record:
    """An image as it is stored.

    ``terms`` is what the index holds for it now, ``announced`` the number of the last result that was made
    known, ``attempts`` the claims since that result and ``released`` those of them that were given back,
    ``lease_until`` when the present claim ends (seconds since 1970).
    """

    image: Image
    revision: str
    terms: dict[str, Entry] = dataclasses.field(default_factory=dict)
    lease_until: float = 0.0
    announced: int = 0
    attempts: int = 0
    released: int = 0

    @property
    def interrupted(self) -> int:
        """How many workers have claimed the image and were not heard of again, the present one included."""
        return self.attempts - self.released

    @property
    def settled(self) -> bool:
        """Nothing is left to do: there is a result and it has been made known."""
        return self.image.final and self.announced == self.image.result

    def to_item(self) -> Item:
        terms = {term: [entry.confidence, entry.instances, entry.shard] for term, entry in self.terms.items()}
        return {
            "revision": self.revision,
            "image": json.dumps(self.image.to_json(), ensure_ascii=False, separators=(",", ":")),
            "terms": json.dumps(terms, ensure_ascii=False, separators=(",", ":")),
            "lease_until": self.lease_until,
            "announced": self.announced,
            "attempts": self.attempts,
            "released": self.released,
        }

    @classmethod
    def from_item(cls, item: Item) -> Record:
        terms = json.loads(str(item["terms"]))
        return cls(
            image=Image.from_json(json.loads(str(item["image"]))),
            revision=str(item["revision"]),
            terms={term: Entry(*numbers) for term, numbers in terms.items()},
            lease_until=float(item["lease_until"]),
            announced=int(item["announced"]),
            attempts=int(item["attempts"]),
            released=int(item["released"]),
        )


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
