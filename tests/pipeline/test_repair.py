"""The repair finds every way in which index and counts can disagree with the records, and mends it."""

from __future__ import annotations

import os
import random
import subprocess
import sys

import pytest

from chalicelib.expressions import Delete, Key, Put, Update
from chalicelib.ids import first_id_of, new_id
from chalicelib.library.catalogue import row_key
from chalicelib.library.index import TAKEN, IndexEntry, partition
from chalicelib.library.markers import marker_key
from chalicelib.library.record import key_for
from chalicelib.model import Image, Label
from chalicelib.pipeline.repair import Fault, repair
from chalicelib.table import Table
from local.moto_server import LocalAws
from tests.fakes.library import Library
from tests.ground.test_table import NAME, make_table


@pytest.fixture
def library() -> Library:
    made = Library()
    for n in range(12):
        labels = tuple(Label(name, 90.0) for name in (["cat", "dog"] if n % 2 else ["cat"]))
        image_id = first_id_of(1_790_000_000_000 + n)
        key = key_for("default", image_id)
        made.images.create(Image(image_id, "default", key, "labelled", f"photo {n}.jpg", "", labels=labels))
    made.world.project()
    return made


def faults(library: Library, *, mend: bool = False) -> list[Fault]:
    found = list(repair("default", library.world, mend=mend))  # type: ignore[arg-type]
    library.world.project()
    return found


def an_entry(library: Library, term: str = "label:cat") -> Key:
    """The key of the term's newest entry."""
    pk = partition("default", term)
    return Key(pk, str(library.table.query(pk, limit=1, newest_first=True)[0]["sk"]))


def test_a_library_that_agrees_has_no_faults_and_is_left_alone(library: Library) -> None:
    library.table.transactions.clear()
    assert faults(library, mend=True) == []
    assert library.table.transactions == []


def lose_an_entry(library: Library) -> None:
    library.table.write(Delete(an_entry(library)))


def lose_a_file_name(library: Library) -> None:
    library.table.write(Delete(an_entry(library, "name:photo ")))


def lose_a_date(library: Library) -> None:
    library.table.write(Delete(an_entry(library, TAKEN)))


def invent_a_date(library: Library) -> None:
    key = an_entry(library, TAKEN)
    library.table.write(Put(Key(key.pk, f"2019-05-17T10:00:00{key.sk}"), IndexEntry().to_item()))


def miscount_a_month(library: Library) -> None:
    library.table.write(Update(row_key("default", "taken:2019-05"), add={"taken:2019-05": 5}))


def change_an_entry(library: Library) -> None:
    library.table.write(Put(an_entry(library), {"confidence": 1.0, "instances": 7}))


def invent_an_image(library: Library) -> None:
    library.table.write(Put(Key(partition("default", "label:cat"), new_id()), IndexEntry().to_item()))


def invent_a_label(library: Library) -> None:
    without = library.record(sorted(library.carriers("label:cat") - library.carriers("label:dog"))[0])
    library.table.write(Put(Key(partition("default", "label:dog"), without.image.id), IndexEntry().to_item()))


def miscount(library: Library) -> None:
    library.table.write(Update(row_key("default", "label:cat"), add={".cat": 5}))


def lose_counts(library: Library) -> None:
    library.table.write(Delete(row_key("default", "label:dog")))


def lose_an_image_from_all(library: Library) -> None:
    library.table.write(Delete(an_entry(library, "all")))


def lose_a_marker(library: Library) -> None:
    """What nobody knows to be projected is counted twice, until it is mended."""
    library.table.write(Delete(marker_key("default", an_entry(library).sk)))


DAMAGES = [
    lose_an_entry,
    lose_a_file_name,
    lose_a_date,
    invent_a_date,
    miscount_a_month,
    change_an_entry,
    invent_an_image,
    invent_a_label,
    miscount,
    lose_counts,
    lose_an_image_from_all,
    lose_a_marker,
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
    faults(library, mend=True)  # what came through the stream again is counted by now
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
    faults(library, mend=True)
    assert faults(library) == []
    assert library.counts() == counts


@pytest.mark.parametrize("mend", [False, True])
@pytest.mark.slow
def test_the_command_tells_or_mends_and_exits_accordingly(mend: bool) -> None:
    with LocalAws() as aws:
        bucket = f"repaired-{mend}".lower()
        here = {"LocationConstraint": "eu-west-1"}
        aws.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=here)
        dynamodb = aws.client("dynamodb")
        make_table(dynamodb)
        table = Table(dynamodb, NAME)
        table.write(Update(row_key("default", "all"), add={"all": 2}))
        run = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "infra.repair_command", "--stage", "local", *(["--mend"] if mend else [])],
            env={**os.environ, "TABLE": NAME, "BUCKET": bucket, "AWS_ENDPOINT_URL": aws.url},
            capture_output=True,
            text=True,
            timeout=180,
        )
        left = table.get(row_key("default", "all")) or {}
        dynamodb.delete_table(TableName=NAME)
    assert run.returncode == (0 if mend else 1), run.stderr
    assert "count off by 2: 'all'" in run.stdout
    assert bool(left["all"]) is not mend
