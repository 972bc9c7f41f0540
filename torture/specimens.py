"""The hostile files of a seed, each made when it is asked for."""

from __future__ import annotations

import functools
import random
import re
from pathlib import Path

from tests.intake.corpus import GOOD
from tests.intake.fuzz import SEEDLINGS
from torture.forger import FORGERIES, polyglot, spliced
from torture.vandal import harmed

PHOTOS = Path(__file__).parents[1] / "photos"
SUFFIXES = ("jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "heic", "avif", "txt", "exe", "")
SOUND = {**SEEDLINGS, **GOOD}  # small ones and larger ones of every kind that is read
# What a sound file is, by the last word of its name; all others are JPEG.
_KINDS = {"palette": "png", "animated": "png", "tif": "tiff"} | {
    kind: kind for kind in ("png", "webp", "gif", "bmp", "tiff", "heic", "avif")
}


def specimen(seed: int, number: int) -> tuple[str, bytes]:
    """A file's name and content."""
    chance = random.Random(f"{seed}:{number}")  # noqa: S311 - repeatable on purpose
    content = chance.choices((_damaged, _spliced, _polyglot, _forged), (70, 8, 7, 15))[0](chance)
    return f"{number}.{chance.choice(SUFFIXES)}", content


def _damaged(chance: random.Random) -> bytes:
    name, content = _sound(chance)
    return harmed(content, _KINDS.get(re.split(r"[ .]", name)[-1], "jpeg"), chance)


def _spliced(chance: random.Random) -> bytes:
    return spliced(_sound(chance)[1], _sound(chance)[1], chance)


def _polyglot(chance: random.Random) -> bytes:
    return polyglot(_sound(chance)[1], chance)


def _forged(chance: random.Random) -> bytes:
    return chance.choice(FORGERIES)(chance)


def _sound(chance: random.Random) -> tuple[str, bytes]:
    """A good file of any kind that is read; one in eight is a photo as it came from a camera."""
    if chance.random() < 0.125:
        path = chance.choice(sorted(PHOTOS.glob("*.jpg")))
        return path.name, path.read_bytes()
    name = chance.choice(sorted(SOUND))
    return name, _made(name)


@functools.cache
def _made(name: str) -> bytes:
    return SOUND[name]()
