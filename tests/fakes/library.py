"""The library room of a world, with shorthands; what is derived follows before it is looked at."""

from __future__ import annotations

import dataclasses

from chalicelib.ids import new_id
from chalicelib.library.catalogue import Catalogue
from chalicelib.library.conditions import quoted
from chalicelib.library.index import partition
from chalicelib.library.query import parse
from chalicelib.library.record import Outcome, Record, key_for
from chalicelib.library.search import Search
from chalicelib.model import Image, Label
from tests.fakes.world import World


def result(image: Image, *labels: Label) -> Outcome:
    """What a recogniser that saw ``labels`` makes of ``image``."""
    return Outcome(dataclasses.replace(image, status="labelled", result=image.result + 1, labels=labels))


class Library:
    """Images, search and catalogue over one fake table."""

    def __init__(self) -> None:
        self.world = World()
        self.table = self.world.table
        self.clock = self.world.clock
        self.images = self.world.images

    @property
    def search(self) -> Search:
        self.world.project()
        return self.world.search

    @property
    def catalogue(self) -> Catalogue:
        self.world.project()
        return self.world.labels

    def add(self, *labels: Label | str, owner: str = "default", filename: str = "") -> Record:
        image_id = new_id()
        image = Image(image_id, owner, key_for(owner, image_id), "awaiting_upload", filename, "2026-01-01")
        record = self.images.create(image)
        return self.relabel(record, *labels) if labels else record

    def record(self, image_id: str) -> Record:
        record = self.images.find("default", image_id)
        assert record is not None, f"there is no image {image_id}"
        return record

    def relabel(self, record: Record, *labels: Label | str) -> Record:
        made = tuple(one if isinstance(one, Label) else Label(one, 90.0) for one in labels)
        claimed = self.images.claim(record, record.image)
        return self.images.finish(claimed, result(record.image, *made))

    def found(self, *names: str, owner: str = "default", limit: int = 50) -> list[str]:
        query = parse(" & ".join(map(quoted, names)))
        return [image.id for image in self.search.page(owner, query, limit=limit).stored]

    def carriers(self, term: str, owner: str = "default") -> set[str]:
        """The ids that the index itself holds under a term."""
        self.world.project()
        return {str(item["sk"]) for item in self.table.query(partition(owner, term), limit=10_000)}

    def counts(self, owner: str = "default", prefix: str = "") -> dict[str, int]:
        page = self.catalogue.by_name(owner, prefix=prefix, limit=200, after=None)
        return {one.name: one.count for one in page.counts}
