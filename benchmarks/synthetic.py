"""Libraries of made-up images whose labels are spread like those of real ones."""

from __future__ import annotations

import random
from collections.abc import Iterator

from chalicelib.ids import first_id_of
from chalicelib.library.record import key_for
from chalicelib.model import Image, Label
from tests.fakes.table import FakeTable
from tests.fakes.world import World

START = 1_767_225_600_000  # 2026-01-01 in milliseconds
# Zipf's law, as label statistics of photo collections follow it: the most common label is on half of all
# images, the second on a third, the hundredth on one in two hundred. About four labels an image.
LABELS = 300
OWNER = "default"


def name_of(rank: int) -> str:
    """The name of the label that is the ``rank``-th most common, from 1."""
    return f"label{rank}"


def chance_of(rank: int) -> float:
    """On which part of the images the ``rank``-th most common label is."""
    return 1 / (rank + 1)


def library(images: int) -> FakeTable:
    """A table that holds so many labelled images, written by the service's own code."""
    world = World()
    for number, image in enumerate(labelled(images)):
        world.images.create(image)
        if number % 1000 == 999:
            world.project()
            world.table.transactions.clear()  # what the fake remembers for tests would fill the memory
    world.project()
    return world.table


def labelled(number: int) -> Iterator[Image]:
    """So many images with labels, oldest first, the same each time."""
    chance = random.Random(5)  # noqa: S311 - the same library each time
    ranks = range(1, LABELS + 1)
    for n in range(number):
        image_id = first_id_of(START + n * 60_000 + chance.randrange(60_000))
        labels = tuple(
            Label(name_of(rank), round(chance.uniform(55, 100), 2))
            for rank in ranks
            if chance.random() < chance_of(rank)
        )
        yield Image(image_id, OWNER, key_for(OWNER, image_id), "labelled", "", "2026-01-01", labels=labels)
