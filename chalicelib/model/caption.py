"""What an image shows, in a sentence, and the text that stands for it where it cannot be seen."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal

from chalicelib.model.json import Json

LONGEST_CAPTION = 500  # characters
LONGEST_ALT = 125  # characters; screen readers read longer ones in pieces, or not to the end


@dataclass(frozen=True)
class Caption:
    """A sentence or two (``text``) and the alternative text (``alt``), either of which may be empty.

    ``source`` says whose they are: a multimodal ``model``'s; a ``template``'s, which names labels; a
    ``person``'s, who outranks both. ``language`` is a BCP 47 tag, None where nobody said.
    """

    text: str
    alt: str
    source: Literal["model", "template", "person"]
    language: str | None = None

    def to_json(self) -> Json:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: Json) -> Caption:
        return cls(data["text"], data["alt"], data["source"], data["language"])
