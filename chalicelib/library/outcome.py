"""What a worker brings back from an image: the new result, and how it came about."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

from chalicelib.library.corrections import with_keywords
from chalicelib.library.record import Kind, Record
from chalicelib.model import Correction, Failure, Image


@dataclass(frozen=True)
class Outcome:
    """``image`` with a new result number and the labels that were seen.

    ``recognition`` names the cached recognition that it was taken from, ``calls`` counts what was called
    for it. ``error`` is why nothing came of a wish to recognise again; the image's own error says why it
    failed. ``keywords`` are those that people have put into the photo's XMP.
    """

    image: Image
    kind: Kind = "recognised"
    recognition: str = ""
    calls: Mapping[str, int] = field(default_factory=dict)
    error: Failure | None = None
    keywords: tuple[Correction, ...] = ()

    def of(self, record: Record) -> Record:
        """The record with this result; what a person has said stays."""
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
        return done.told(self.image.labels, with_keywords(record.image.corrections, self.keywords))
