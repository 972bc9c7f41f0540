"""The photos of a schedule, and what there is to be seen on each."""

from __future__ import annotations

import hashlib
import io
import random
from dataclasses import dataclass

from PIL import Image

# What DetectLabels says of an image's own fault, and the code that the image is to fail with.
REFUSALS = {
    "InvalidImageFormatException": "unsupported-type",
    "ImageTooLargeException": "too-large",
    "InvalidS3ObjectException": "object-unreadable",
    "InvalidParameterException": "recogniser-refused",
}
NO_PHOTO = "not-an-image"
PARENTS = {
    "Cat": ("Animal", "Pet"),
    "Dog": ("Animal", "Pet"),
    "Horse": ("Animal",),
    "Table": ("Furniture",),
    "Cup": (),
    "Espresso": ("Beverage",),
    "Rocket": ("Vehicle",),
    "Beach": ("Nature",),
}
SIDE = 96  # pixels; Rekognition takes 80 and more


@dataclass(frozen=True)
class Scene:
    """What a recogniser makes of a photo: ``labels`` (name → confidence), or a refusal.

    ``failure`` is the code that the image is to fail with, empty where it is to be labelled.
    """

    labels: dict[str, float]
    refused_as: str = ""
    failure: str = ""


class Album:
    """Makes photos, each unlike all others, and knows them again by their bytes."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(f"{seed}:album")  # noqa: S311 - no secret
        self._scenes: dict[str, Scene] = {}
        self._content: list[bytes] = []

    def photo(self) -> bytes:
        """A photo of something; one in ten is a copy of an earlier one."""
        if self._content and self._chance.random() < 0.1:
            return self._chance.choice(self._content)
        return self._kept(self._picture(), Scene(self._labels()))

    def alone(self) -> bytes:
        """A photo that nobody has a copy of."""
        content = self._picture()
        self._scenes[digest(content)] = Scene(self._labels())
        return content

    def refused(self) -> bytes:
        """A photo that the recogniser refuses for good."""
        code = self._chance.choice(sorted(REFUSALS))
        return self._kept(self._picture(), Scene({}, code, REFUSALS[code]))

    def no_photo(self) -> bytes:
        """Bytes that are no photo at all."""
        return self._kept(self._chance.randbytes(200), Scene({}, "", NO_PHOTO))

    def scene(self, content: bytes) -> Scene:
        """What is to be seen on a photo of this album."""
        return self.scene_of(digest(content))

    def scene_of(self, name: str) -> Scene:
        """The same, by the photo's digest."""
        return self._scenes[name]

    def _labels(self) -> dict[str, float]:
        names = self._chance.sample(sorted(PARENTS), self._chance.randrange(5))
        return {name: self._chance.randrange(600, 1000) / 10 for name in names}

    def _picture(self) -> bytes:
        colour = len(self._scenes).to_bytes(2, "big") + self._chance.randbytes(1)
        picture = io.BytesIO()
        Image.new("RGB", (SIDE, SIDE), (colour[0], colour[1], colour[2])).save(picture, "PNG")
        return picture.getvalue()

    def _kept(self, content: bytes, scene: Scene) -> bytes:
        self._scenes[digest(content)] = scene
        self._content.append(content)
        return content


def digest(content: bytes) -> str:
    """What a photo is known by."""
    return hashlib.sha256(content).hexdigest()
