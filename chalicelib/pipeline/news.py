"""What is to be told: an image's present state, and whether somebody is told of it in another delivery."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from chalicelib.delivery.events import ImageFinished, type_of
from chalicelib.model import Image
from chalicelib.wiring import Services

NO_IMAGE = "The image was deleted."
NEWER_RESULT = "The image has a newer result, or is about to get one; that one is told of instead."


@dataclass(frozen=True)
class News:
    """An ``image`` as it is now, told of as ``event_type``, which its ``result`` of that number was."""

    image: Image
    event_type: str
    result: int

    @property
    def outdated(self) -> bool:
        return self.image.result != self.result

    @property
    def replaced_by(self) -> str | None:
        """The type of the newer event that there is of the image, if there is one."""
        return type_of(self.image) if self.outdated else None

    def event(self) -> ImageFinished:
        """The event that receivers get."""
        return dataclasses.replace(ImageFinished.of(self.image), type=self.event_type)


def news_of(owner: str, image_id: str, result: int, event_type: str, services: Services) -> News | str:
    """What is to be told of a result; or the sentence that says why there is nothing to tell."""
    record = services.images.find(owner, image_id)
    if record is None:
        return NO_IMAGE
    return News(record.image, event_type, result) if record.image.final else NEWER_RESULT
