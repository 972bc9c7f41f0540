"""``python -m tests.intake.fuzz NAME COUNT``: label so many damaged copies of a file, and say how that went.

A process of its own, so that its memory can be measured, and a crash of a decoder is seen.
"""

from __future__ import annotations

import json
import random
import sys
import time
import warnings
from collections import Counter

from chalicelib import pipeline
from tests.fakes.world import World, s3_event
from tests.intake.corpus import cat, exif, frames, see_through
from tests.intake.measure import peak
from tests.intake.pictures import saved

SEEDLINGS = {
    "jpeg": lambda: saved(cat(90, 60), "JPEG", exif=exif(6)),
    "progressive": lambda: saved(cat(90, 60), "JPEG", progressive=True),
    "cmyk": lambda: saved(cat(90, 60).convert("CMYK"), "JPEG"),
    "mpo": lambda: saved(cat(90, 60), "MPO", **frames()),
    "png": lambda: saved(cat(90, 60), "PNG", exif=exif(8)),
    "palette": lambda: saved(cat(90, 60).convert("P"), "PNG", transparency=0),
    "animated": lambda: saved(cat(30, 20), "PNG", **frames()),
    "webp": lambda: saved(cat(90, 60), "WEBP", exif=exif(6)),
    "lossless webp": lambda: saved(see_through(90, 60), "WEBP", lossless=True),
    "animated webp": lambda: saved(cat(), "WEBP", **frames()),
    "gif": lambda: saved(cat(90, 60), "GIF"),
    "animated gif": lambda: saved(cat(), "GIF", **frames()),
    "bmp": lambda: saved(cat(90, 60), "BMP"),
    "palette bmp": lambda: saved(cat(90, 60).convert("P"), "BMP"),
    "tiff": lambda: saved(cat(90, 60), "TIFF", exif=exif(6)),
    "lzw tiff": lambda: saved(cat(90, 60), "TIFF", compression="tiff_lzw"),
    "jpeg tiff": lambda: saved(cat(90, 60), "TIFF", compression="jpeg"),
    "fractions tiff": lambda: saved(cat(90, 60).convert("F"), "TIFF"),
    "heic": lambda: saved(cat(90, 60), "HEIF"),
    "see-through heic": lambda: saved(see_through(90, 60), "HEIF"),
    "avif": lambda: saved(cat(90, 60), "AVIF", speed=10),
    "see-through avif": lambda: saved(see_through(90, 60), "AVIF", speed=10),
}


def damaged(content: bytes, chance: random.Random) -> bytes:
    """The same bytes with some changed (the first ones most often), some lost, or the end cut off."""
    bytes_ = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 5, 20))):
        at = chance.randrange(min(len(bytes_), chance.choice((64, 400, len(bytes_)))))
        if chance.random() < 0.1:
            del bytes_[at : at + chance.randrange(1, 30)]
        else:
            bytes_[at] = chance.choice((0x00, 0xFF, chance.randrange(256)))
    return bytes(bytes_[: chance.randrange(len(bytes_))] if chance.random() < 0.1 else bytes_)


def outcome(content: bytes) -> str:
    """How the image ends: ``labelled``, an error's code, or a status that is none of an end."""
    world = World()
    pipeline.label_or_leave(s3_event(world.drop("uploads/x", content)), world)
    image = world.image_at("uploads/x")
    return image.error.code if image.error else image.status


def main(name: str, count: int) -> None:
    warnings.filterwarnings("ignore", category=UserWarning, module="PIL")
    chance = random.Random(f"damage {name}")  # noqa: S311 - repeatable on purpose
    seedling = SEEDLINGS[name]()
    outcomes: Counter[str] = Counter()
    slowest = 0.0
    for _ in range(count):
        started = time.monotonic()
        outcomes[outcome(damaged(seedling, chance))] += 1
        slowest = max(slowest, time.monotonic() - started)
    print(json.dumps({"outcomes": outcomes, "slowest": slowest, "peak_mib": peak()}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
