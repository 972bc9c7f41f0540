"""The repair finds every way in which index and counts can disagree with the records, and mends it."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from unittest import mock

import pytest

from chalicelib.expressions import Delete, Key, Put, Update
from chalicelib.ids import first_id_of, new_id
from chalicelib.library import sizes
from chalicelib.library.images import Images
from chalicelib.library.index import Entry, partition
from chalicelib.library.record import key_for
from chalicelib.library.repair import Fault, Repair
from chalicelib.library.sizes import count_key
from chalicelib.model import Image, Label
from chalicelib.table import Table
from local.aws import LocalAws
from tests.fakes.clock import Clock
from tests.fakes.library import Library
from tests.ground.test_table import make_table


@pytest.fixture(autouse=True)
def terms_soon_have_two_shards() -> Iterator[None]:
    with mock.patch.dict(sizes.GROWTH, {2: 5}, clear=True):
        yield


@pytest.fixture
def library() -> Library:
    made = Library()
    for n in range(12):  # ids that are the same each time lie in the same shards each time
        labels = tuple(Label(name, 90.0) for name in (["cat", "dog"] if n % 2 else ["cat"]))
        image_id = first_id_of(1_790_000_000_000 + n)
        key = key_for("default", image_id)
        made.images.create(Image(image_id, "default", key, "labelled", f"photo {n}.jpg", "", labels=labels))
    return made


def faults(library: Library, *, mend: bool = False) -> list[Fault]:
    return list(Repair(library.table, "default", mend=mend).run())  # type: ignore[arg-type]


def an_entry(library: Library, term: str = "label:cat") -> Key:
    """The key of the newest entry in the term's second shard."""
    pk = partition("default", term, 1)
    return Key(pk, str(library.table.query(pk, limit=1, newest_first=True)[0]["sk"]))


def test_a_library_that_agrees_has_no_faults_and_is_left_alone(library: Library) -> None:
    library.table.transactions.clear()
    assert faults(library, mend=True) == []
    assert library.table.transactions == []


def lose_an_entry(library: Library) -> None:
    library.table.write(Delete(an_entry(library)))


def lose_a_file_name(library: Library) -> None:
    found = library.table.query(partition("default", "file:photo 3.jpg", 0), limit=1)[0]
    library.table.write(Delete(Key(str(found["pk"]), str(found["sk"]))))


def change_an_entry(library: Library) -> None:
    library.table.write(Put(an_entry(library), {"confidence": 1.0, "instances": 7}))


def invent_an_image(library: Library) -> None:
    library.table.write(Put(Key(partition("default", "label:cat", 0), new_id()), Entry().to_item()))


def invent_a_label(library: Library) -> None:
    without = library.record(sorted(library.carriers("label:cat") - library.carriers("label:dog"))[0])
    library.table.write(Put(Key(partition("default", "label:dog", 0), without.image.id), Entry().to_item()))


def double_an_entry(library: Library) -> None:
    there = an_entry(library)
    library.table.write(Put(Key(partition("default", "label:cat", 0), there.sk), Entry().to_item()))


def miscount(library: Library) -> None:
    library.table.write(Update(count_key("default", "label:cat", 1), add={"count": 5}))


def lose_a_count(library: Library) -> None:
    library.table.write(Delete(count_key("default", "label:dog", 0)))


def lose_an_image_from_all(library: Library) -> None:
    library.table.write(Delete(an_entry(library, "all")))


def forget_a_shard(library: Library) -> None:
    library.table.write(Update(count_key("default", "label:cat", 0), remove=["shards"]))


DAMAGES = [
    lose_an_entry,
    lose_a_file_name,
    change_an_entry,
    invent_an_image,
    invent_a_label,
    double_an_entry,
    miscount,
    forget_a_shard,
    lose_a_count,
    lose_an_image_from_all,
]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_each_damage_is_told_and_then_mended(library: Library, damage: object) -> None:
    cats, dogs, counts = (library.carriers("label:cat"), library.carriers("label:dog"), library.counts())
    damage(library)  # type: ignore[operator]
    told = faults(library)
    assert told
    assert not any(fault.mended for fault in told)
    assert faults(library) == told  # only told, nothing changed
    mended = faults(library, mend=True)
    assert mended
    assert all(fault.mended for fault in mended)
    assert faults(library) == []
    assert (library.carriers("label:cat"), library.carriers("label:dog"), library.counts()) == (
        cats,
        dogs,
        counts,
    )


def test_all_damages_at_once_are_mended_in_one_run(library: Library) -> None:
    counts = library.counts()
    for damage in random.Random(3).sample(DAMAGES, len(DAMAGES)):  # noqa: S311 - chance, not a secret
        damage(library)
    faults(library, mend=True)
    assert faults(library) == []
    assert library.counts() == counts


def test_an_image_that_changes_meanwhile_is_left_to_its_writer(library: Library) -> None:
    lose_an_entry(library)
    whole = library.table.transact

    def transact(writes: object) -> None:
        library.table.transact = whole  # type: ignore[method-assign]
        (renewed, *_) = writes  # type: ignore[misc]
        library.relabel(library.record(renewed.key.pk.rpartition("#")[2]), "horse")
        whole(writes)  # type: ignore[arg-type]

    library.table.transact = transact  # type: ignore[method-assign]
    assert [fault.mended for fault in faults(library, mend=True)] == [False]
    assert faults(library) == []
    assert library.counts()["horse"] == 1


@pytest.mark.parametrize("mend", [False, True])
def test_the_command_tells_or_mends_and_exits_accordingly(mend: bool) -> None:
    with LocalAws() as aws:
        dynamodb = aws.client("dynamodb")
        make_table(dynamodb)
        table = Table(dynamodb, "t")
        image_id = new_id()
        image = Image(image_id, "default", key_for("default", image_id), "labelled", "", "")
        Images(table, Clock()).create(image)
        table.write(Update(count_key("default", "all", 0), add={"count": 2}))
        run = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "infra.repair", "--stage", "local", *(["--mend"] if mend else [])],
            env={**os.environ, "TABLE": "t", "AWS_ENDPOINT_URL": aws.url},
            capture_output=True,
            text=True,
            timeout=180,
        )
        left = list(Repair(table, "default", mend=False).run())
        dynamodb.delete_table(TableName="t")
    assert run.returncode == (0 if mend else 1), run.stderr
    assert "count off by 2: 'all'" in run.stdout
    assert bool(left) is not mend
