"""An image's record: the single source of truth, and how it is stored as an item.

The item's ``body`` is the image's public document, compressed; readers pass it on unparsed
(:class:`StoredImage`). Private fields, and those that conditions and the stream need, are small attributes
beside it. The ``version`` grows with every change that the projection has to see, and with no other, so that
the projection can recognise repeats.
"""

from __future__ import annotations

import dataclasses
import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, cast

from chalicelib.errors import TOO_LARGE
from chalicelib.expressions import Item, Key
from chalicelib.ids import is_id, new_id
from chalicelib.library.corrections import effective_caption, effective_labels, with_keywords
from chalicelib.model import DEFAULT_OWNER, FINAL, Caption, Correction, Failure, Image, Json, Label, Status

ResultKind = Literal["recognised", "copied", "corrected", "renamed", "failed", "binned", "restored"]
SORT_KEY = "record"  # of every record and of no other row: the stream's filter uses it

# The preset dictionary for compression (zlib, "preset dictionary"): text that most documents hold, the most
# frequent last. With it the record of an image with 30 labels takes one write unit, without it two. Never
# change these bytes: stored bodies can only be read with them.
FAMILIAR = b"".join(
    (
        b'"corrections":[],"corrected_at":null,"binned_at":null,"erases_at":null,"missing":false,',
        b'"restored_at":null,"copied_from":null,"model":{"name":"rekognition","version":"3.0"},',
        b'"properties":null,"moderation":null,"text":null,"error":null,"result":1}',
        b'{"min_confidence":null,"max_labels":null,"features":null,"include_labels":null,',
        b'"exclude_labels":null,"include_categories":null,"exclude_categories":null,"id":"01',
        b'","status":"labelled","filename":".jpg","created_at":"2026-00T00:00:00.000Z","callback_url":null,',
        b'"callback_format":"event","metadata":{},"started_at":"2026-","completed_at":"2026-',
        b'","content_type":"image/jpeg","size":,"sha256":"","width":,"height":,"preview":false,',
        b'"warnings":[],"taken_at":null,"taken_at_source":null,"camera":null,"location":null,"labels":[',
        b'"instances":[{"confidence":99.,"box":{"left":0.,"top":0.,"width":0.,"height":0.}}],',
        b'{"name":"","confidence":9.,"parents":[""],"aliases":[""],"categories":[""],"instances":[],',
        b'"source":"model"},{"name":"","confidence":',
    )
)


@dataclass(frozen=True)
class Relabel:
    """A request to recognise an image again, made ``at`` a time (seconds since 1970).

    A recognition that was cached before is used only if the model has a version. ``labelled`` says whether
    there are labels to keep if the new recognition fails.
    """

    at: float
    labelled: bool


@dataclass(frozen=True)
class Record:
    """An image with its private fields, for those who write it.

    * ``seen``, ``seen_caption``: the recogniser's labels and caption, without a person's corrections.
    * About the current result: ``kind`` says how it came about, ``calls`` counts the recogniser calls,
      ``setback`` is the error of a failed relabel, ``recognition`` is the name of the cached recognition.
    * ``attempts``: the number of claims since that result; ``released``: how many of them were released.
    * ``claim``: the token of the current claim, which ends at ``lease_until`` (seconds since 1970).
    * ``due_at``: when the sweep looks at the image (RFC 3339).
    * ``relabel``: the request to recognise again, until the next result.
    * ``binned_from``: the status before the image was put into the bin, until it comes out.
    * ``text``: the public document as it was read.
    """

    image: Image
    revision: str
    version: int = 0
    kind: ResultKind | None = None
    calls: Mapping[str, int] = field(default_factory=dict)
    setback: Failure | None = None
    lease_until: float = 0.0
    due_at: str = ""
    attempts: int = 0
    released: int = 0
    claim: str = ""
    seen: tuple[Label, ...] = ()
    seen_caption: Caption | None = None
    recognition: str = ""
    relabel: Relabel | None = None
    binned_from: Status | None = None
    text: str = field(default="", compare=False, repr=False)

    @property
    def interrupted(self) -> int:
        """How many claims ended without result or release, the current one included."""
        return self.attempts - self.released

    def with_labels(self, seen: Iterable[Label], corrections: tuple[Correction, ...]) -> Record:
        """The record with these labels of the recogniser and these corrections."""
        recognised = tuple(seen)
        labels = effective_labels(recognised, corrections)
        caption = effective_caption(self.seen_caption, labels, self.image.caption)
        image = dataclasses.replace(self.image, labels=labels, corrections=corrections, caption=caption)
        return dataclasses.replace(self, image=image, seen=recognised)

    def to_item(self) -> Item:
        image = self.image
        item: Item = {
            "revision": self.revision,
            "version": self.version,
            "status": image.status,
            "result": image.result,
            "body": packed(image.document()),
            "key": image.key,
            "etag": image.etag,
            "sequencer": image.sequencer,
            "pictured_at": image.pictured_at,
            "kind": self.kind or "",
            "calls": json.dumps(dict(self.calls)) if self.calls else "",
            "setback": json.dumps(self.setback.to_json()) if self.setback else "",
            "lease_until": self.lease_until or "",
            "attempts": self.attempts or "",
            "released": self.released or "",
            "claim": self.claim,
            "recognition": self.recognition.removeprefix(image.sha256 or ""),  # which the body has
            "relabel": json.dumps(dataclasses.asdict(self.relabel)) if self.relabel else "",
            "binned_from": self.binned_from or "",
        }
        # Without corrections the shown labels are the recogniser's: they are stored once.
        if self.seen != image.labels:
            item["seen"] = packed([label.to_json() for label in self.seen])
        if self.seen_caption != image.caption:
            item["seen_caption"] = json.dumps(self.seen_caption and self.seen_caption.to_json())
        return {name: value for name, value in item.items() if value != ""}

    @classmethod
    def from_item(cls, item: Item) -> Record:
        stored = StoredImage(item)
        image = stored.image
        seen = tuple(map(Label.from_json, unpacked(item["seen"]))) if "seen" in item else image.labels
        named = str(item.get("recognition", ""))
        caption = json.loads(str(item.get("seen_caption", "null")))
        seen_caption = Caption.from_json(caption) if caption else None
        return cls(
            image=image,
            revision=str(item["revision"]),
            version=stored.version,
            kind=cast("ResultKind | None", item.get("kind")),
            calls=stored.calls,
            setback=stored.setback,
            lease_until=float(item.get("lease_until", 0)),
            due_at=str(item.get("due_at", "")),
            attempts=int(item.get("attempts", 0)),
            released=int(item.get("released", 0)),
            claim=str(item.get("claim", "")),
            seen=seen,
            seen_caption=seen_caption if "seen_caption" in item else image.caption,
            recognition=f"{image.sha256}{named}" if named.startswith(".") else named,
            relabel=Relabel(**json.loads(str(item["relabel"]))) if "relabel" in item else None,
            binned_from=cast("Status | None", item.get("binned_from")),
            text=stored.text,
        )


@dataclass(frozen=True)
class Outcome:
    """A new result: ``image`` with a new result number and the recogniser's labels.

    ``recognition`` is the name of the cached recognition, ``calls`` counts the recogniser calls. ``error``
    says why a relabel failed; if the image itself failed, its own error says why. ``keywords`` are those from
    the photo's XMP.
    """

    image: Image
    kind: ResultKind = "recognised"
    recognition: str = ""
    calls: Mapping[str, int] = field(default_factory=dict)
    error: Failure | None = None
    keywords: tuple[Correction, ...] = ()

    def of(self, record: Record) -> Record:
        """The record with this result; corrections stay."""
        done = dataclasses.replace(
            record,
            image=dataclasses.replace(
                self.image, corrected_at=None, restored_at=None, caption=record.image.caption
            ),
            seen_caption=self.image.caption,
            kind=self.kind,
            calls=self.calls,
            setback=self.error,
            recognition=self.recognition,
            lease_until=0.0,
            attempts=0,
            released=0,
            claim="",
            relabel=None,
        )
        return done.with_labels(self.image.labels, with_keywords(record.image.corrections, self.keywords))


@dataclass(frozen=True)
class StoredImage:
    """A record's item for readers: each field is parsed only when it is used."""

    item: Item

    @property
    def owner(self) -> str:
        return str(self.item["pk"]).partition("#image#")[0]

    @property
    def id(self) -> str:
        return str(self.item["pk"]).rpartition("#")[2]

    @property
    def version(self) -> int:
        return int(self.item["version"])

    @property
    def result(self) -> int:
        """The number of the current result; 0 before the first. A tombstone keeps the last one."""
        return int(self.item.get("result", 0))

    @property
    def status(self) -> str:
        return str(self.item["status"])

    @property
    def final(self) -> bool:
        return self.item.get("status") in FINAL

    @property
    def binned(self) -> bool:
        """Whether the image is in the bin."""
        return self.item.get("status") == "binned"

    @property
    def missing(self) -> bool:
        """Whether the image is in the bin because its object was removed from the bucket."""
        return self.binned and bool(self.document.get("missing"))

    @property
    def pictured_at(self) -> str:
        """As :attr:`Image.pictured_at`."""
        return str(self.item.get("pictured_at", ""))

    @property
    def erased(self) -> bool:
        """Whether this is a tombstone: a person has erased the image."""
        return "erased" in self.item

    @property
    def key(self) -> str:
        """The object's key; empty for a tombstone."""
        return str(self.item.get("key", ""))

    @property
    def kind(self) -> ResultKind | None:
        return cast("ResultKind | None", self.item.get("kind"))

    @property
    def calls(self) -> Mapping[str, int]:
        """The number of recogniser calls for the current result, by price list name."""
        return json.loads(str(self.item["calls"])) if "calls" in self.item else {}

    @property
    def setback(self) -> Failure | None:
        text = self.item.get("setback")
        return Failure.from_json(json.loads(str(text))) if text else None

    @cached_property
    def text(self) -> str:
        """The public document, as JSON without line breaks."""
        return text_of(self.item["body"])

    @cached_property
    def document(self) -> Json:
        """The public document."""
        return cast(Json, json.loads(self.text))

    @cached_property
    def image(self) -> Image:
        hidden = {name: str(self.item.get(name, "")) for name in ("key", "etag", "sequencer")}
        return Image.from_json({**self.document, **hidden, "owner": self.owner})


def tombstone(last: Image, at: str, version: int) -> Item:
    """The item that replaces the record of an image that was erased ``at`` a time (RFC 3339).

    ``last`` is the image's last state, from which the deletion's event is made.
    """
    gone = dataclasses.replace(last, binned_at=last.binned_at or at, erases_at=last.erases_at or at).bare()
    return {
        "revision": new_id(),
        "version": version,
        "erased": at,
        "status": gone.status,
        "result": gone.result,
        "body": packed(gone.document()),
    }


def packed(data: Json | list[Json]) -> bytes:
    """JSON as it is stored: compact, in ASCII, and compressed."""
    text = json.dumps(data, separators=(",", ":")).encode("ascii")
    # Level 9 saves a few percent, but takes a tenth of a second for a large document.
    packing = zlib.compressobj(9 if len(text) < 20_000 else 6, zdict=FAMILIAR)
    return packing.compress(text) + packing.flush()


def unpacked(stored: Any) -> Any:
    """The JSON value that :func:`packed` stored."""
    return json.loads(text_of(stored))


def text_of(stored: Any) -> str:
    """The JSON text that :func:`packed` stored."""
    return zlib.decompressobj(zdict=FAMILIAR).decompress(stored).decode("ascii")


def key_for(owner: str, image_id: str) -> str:
    """The object key of an image that is uploaded through the API."""
    return f"uploads/~{owner}/{image_id}"


def parse_key(key: str) -> tuple[str, str] | None:
    """(owner, image id) of a key made by :func:`key_for`, None for any other key."""
    match key.split("/"):
        case ["uploads", owner, image_id] if owner.startswith("~") and is_id(image_id):
            return owner[1:], image_id
    return None


def record_key(owner: str, image_id: str) -> Key:
    return Key(f"{owner}#image#{image_id}", SORT_KEY)


def lookup_key(key: str) -> Key:
    """The key of the row that maps an object key which the API did not make to its image."""
    return Key(f"{DEFAULT_OWNER}#key#{key}", "lookup")


def was_dropped(image: Image) -> bool:
    """Whether the labeler has deleted the image's object because it was too large for a photo."""
    return image.error is not None and image.error.code == TOO_LARGE and parse_key(image.key) is not None
