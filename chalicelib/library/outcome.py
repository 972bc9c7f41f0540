"""What a worker brings back from an image: the new result, and how it came about."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal

from chalicelib.library.record import Record
from chalicelib.model import Failure, Image

Kind = Literal["recognised", "copied", "corrected", "renamed", "failed"]


@dataclass(frozen=True)
class Outcome:
    """``image`` with a new result number and the labels that were seen; ``answer`` names the kept answer.

    ``error`` is why nothing came of a wish to recognise again; the image's own error says why it failed.
    """

    image: Image
    kind: Kind = "recognised"
    answer: str = ""
    error: Failure | None = None

    def of(self, record: Record) -> Record:
        """The record with this result; what a person has said stays."""
        done = dataclasses.replace(
            record,
            image=dataclasses.replace(self.image, corrected_at=None),
            answer=self.answer,
            lease_until=0.0,
            attempts=0,
            released=0,
            claim="",
            relabel=None,
        )
        return done.told(self.image.labels, record.image.corrections)
