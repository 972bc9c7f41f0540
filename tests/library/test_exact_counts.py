"""Counts and entries stay exact under threads and lost answers, on a table behind HTTP."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest import mock

import pytest

from chalicelib.errors import Busy, Superseded, Unavailable
from chalicelib.ids import new_id
from chalicelib.library import index, sizes
from chalicelib.library.catalogue import Catalogue
from chalicelib.library.corrections import with_word
from chalicelib.library.images import Images
from chalicelib.library.outcome import Outcome
from chalicelib.library.record import key_for
from chalicelib.model import Correction, Image, Label
from chalicelib.table import Table
from local.aws import LocalAws
from tests.fakes.clock import Clock
from tests.ground.test_table import make_table

NAMES = ["animal", "cat", "dog", "sea"]
WRITES = ("put_item", "update_item", "transact_write_items")


class ForgetfulClient:
    """A client that loses the answer to every sixth write, and then does what botocore does: asks again."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._writes = itertools.count(1)
        self.lost = 0

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)
        if name not in WRITES or next(self._writes) % 6:
            return call

        def twice(**arguments: Any) -> Any:
            call(**arguments)
            self.lost += 1
            return call(**arguments)

        return twice


@pytest.fixture
def client() -> Iterator[Any]:
    with LocalAws() as aws:
        dynamodb = aws.client("dynamodb")
        make_table(dynamodb)
        yield dynamodb
        dynamodb.delete_table(TableName="t")


def change(images: Images, ids: list[str], chance: random.Random) -> None:
    """Something that happens to a library: an image comes, is labelled (again), is corrected, or goes."""
    if chance.random() < 0.4:
        image_id = new_id()
        images.create(Image(image_id, "default", key_for("default", image_id), "labelling", "", ""))
        ids.append(image_id)
        return
    record = images.find("default", chance.choice(ids))
    if record is None:
        return
    if chance.random() < 0.2:
        images.delete(record)
        return
    if chance.random() < 0.3:
        word = Correction(chance.choice(NAMES), chance.random() < 0.5, "default", "2026-03-01T00:00:00.000Z")
        said = with_word(record.image.corrections, word)
        images.change(record, record.told(record.seen, said), "corrected")
        return
    labels = tuple(Label(name, 90.0) for name in chance.sample(NAMES, chance.randrange(len(NAMES))))
    labelled = dataclasses.replace(record.image, status="labelled", labels=labels)
    images.finish(images.claim(record, record.image), Outcome(labelled))


def test_counts_are_exact_after_any_interleaving_and_any_lost_answer(client: Any) -> None:
    forgetful = ForgetfulClient(client)
    table = Table(forgetful, "t")
    images, ids = Images(table, Clock()), [new_id()]

    def worker(seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311 - chance, not a secret
        changes = 0
        while changes < 15 or forgetful.lost <= 10:
            changes += 1
            with contextlib.suppress(Superseded, Busy, Unavailable):
                change(images, ids, chance)

    with mock.patch.dict(sizes.GROWTH, {2: 4, 4: 12}, clear=True), ThreadPoolExecutor(6) as pool:
        list(pool.map(worker, range(6)))

    records = [record for one in ids if (record := images.find("default", one))]
    expected = Counter(term for record in records for term in record.terms if sizes.is_counted(term))
    known = sizes.sizes_of(table, "default", expected)
    assert max(size.shards for size in known.values()) > 1
    page = Catalogue(table).by_name("default", prefix="", limit=200, after=None)
    assert {index.label_term(one.name): one.count for one in page.counts} == {
        term: count for term, count in expected.items() if term.startswith("label:")
    }
    for term, count in expected.items():
        lie_in = [index.partition("default", term, shard) for shard in range(known[term].shards)]
        assert sum(len(table.query(pk, limit=1000)) for pk in lie_in) == count
