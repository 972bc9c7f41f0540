"""What is derived agrees with the records, however the stream's batches come and wherever a process dies.

Holds `chalicelib/library/catalogue.py`, `chalicelib/library/markers.py`, `chalicelib/pipeline/counts.py`,
`chalicelib/pipeline/record_changes.py`.
"""

from __future__ import annotations

import dataclasses
import random
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib import pipeline
from chalicelib.errors import Unavailable
from chalicelib.expressions import Delete, Key, Update
from chalicelib.ids import new_id
from chalicelib.intake.objects import sidecar_key
from chalicelib.library import catalogue, index
from chalicelib.library.index import IndexEntry, counted_as, entries_of
from chalicelib.library.markers import (
    CONFIRM_SECONDS,
    FANOUT_SHARDS,
    REBUILD_SECONDS,
    REBUILD_SHARDS,
    marker_key,
)
from chalicelib.library.record import Outcome, Record, StoredImage, key_for, record_key
from chalicelib.model import Asked, Correction, Image, Json, Label
from chalicelib.pipeline.curation import LabelEdit
from chalicelib.pipeline.projection import project, rebuild
from chalicelib.pipeline.repair import repair
from tests.fakes.mail import Mail
from tests.fakes.world import World

NAMES = [f"name {number}" for number in range(40)]


class Killed(BaseException):
    """The process is no more."""


class Album:
    """Images of a world that change at random; every change is one record of the stream."""

    def __init__(self, seed: int, world: World) -> None:
        self.world = world
        self.chance = random.Random(seed)  # noqa: S311 - chance, not a secret
        self.ids: list[str] = []
        self.results: set[tuple[str, int]] = set()
        self.first_results = self.spared = self.calls = 0

    def change(self) -> None:
        images, chance = self.world.images, self.chance
        self.world.clock.forward(100)
        if not self.ids or chance.random() < 0.3:
            self.ids.append(new_id())
            key = key_for("default", self.ids[-1])
            images.create(Image(self.ids[-1], "default", key, "labelling", "a cat.jpg", "2026-01-01"))
            return
        record = images.find("default", chance.choice(self.ids))
        if record is None:
            return
        if chance.random() < 0.12:
            images.erase(record)
        elif chance.random() < 0.3 and record.image.final:
            self._correct(record)
        elif chance.random() < 0.15 and record.image.final:
            image = dataclasses.replace(record.image, status="labelling")
            images.change(record, dataclasses.replace(record, image=image))
        else:
            self._label(record)

    def _label(self, record: Record) -> None:
        status = self.chance.choice(["labelled", "labelled", "failed"])
        names = self.chance.sample(NAMES, self.chance.randrange(len(NAMES))) if status == "labelled" else []
        image = dataclasses.replace(
            record.image,
            status=status,
            labels=tuple(Label(name, self.chance.choice([70.0, 90.0])) for name in names),
            sha256=self.chance.choice(["a" * 64, "b" * 64]),
            taken_at=self.chance.choice([None, "2019-05-17T10:00:00+02:00", "2019-05-18T10:00:00"]),
            result=record.image.result + 1,
            completed_at="2026-01-02T00:00:00.000Z",
        )
        copied = self.chance.random() < 0.2
        outcome = Outcome(image, "copied" if copied else "recognised", calls={} if copied else {"fake": 1})
        self.world.images.finish(self.world.images.claim(record, record.image), outcome)
        self._counted(image)
        self.first_results += image.result == 1
        self.spared += copied
        self.calls += not copied

    def _correct(self, record: Record) -> None:
        said = Correction(self.chance.choice(NAMES), self.chance.random() < 0.5, "default", "2026-01-03")
        told = record.with_labels(record.seen, (said,))
        image = dataclasses.replace(
            told.image, result=record.image.result + 1, corrected_at="2026-01-03T00:00:00.000Z"
        )
        self.world.images.change(record, dataclasses.replace(told, image=image), "corrected")
        self._counted(image)

    def _counted(self, image: Image) -> None:
        self.results.add((image.id, image.result))

    def documents(self) -> dict[str, Json]:
        records = (self.world.images.find("default", one) for one in self.ids)
        return {record.image.id: record.image.document() for record in records if record}


def records_of(world: World) -> list[Json]:
    """What the stream has to tell since the last time, record by record."""
    return [record for event in world.changes() for record in event["Records"]]


def agree(album: Album) -> None:
    """Everything derived is as the records say."""
    world = album.world
    documents = album.documents()
    wanted = {image_id: entries_of(document) for image_id, document in documents.items()}
    terms = {term for entries in wanted.values() for term in entries}
    terms |= {index.label_term(name) for name in NAMES} | {index.ALL, index.PENDING, index.FAILED}
    partitions = {index.key_of("default", term, "").pk for term in terms}
    found = {
        (pk, str(item["sk"])): IndexEntry.from_item(item)
        for pk in partitions
        for item in world.table.query(pk, limit=10_000)
    }
    assert found == {
        (place.pk, place.sk): entry
        for image_id, entries in wanted.items()
        for term, entry in entries.items()
        if (place := index.key_of("default", term, image_id))
    }
    names = (counted_as(term) for entries in wanted.values() for term in entries)
    counted = Counter(name for name in names if name)
    assert catalogue.counts_of(world.table, "default") == dict(counted)  # type: ignore[arg-type]
    for image_id, document in documents.items():
        if document["status"] in ("labelled", "failed"):
            assert world.objects.sidecars[sidecar_key(key_for("default", image_id))] == document
        assert [one.result for one in world.history.of("default", image_id)] == sorted(
            (result for one, result in album.results if one == image_id), reverse=True
        )[:30]
    gone = set(album.ids) - set(documents)
    assert not any(sidecar_key(key_for("default", one)) in world.objects.sidecars for one in gone)
    assert not any(world.history.of("default", one) for one in gone)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(40))
def test_everything_agrees_after_any_schedule_of_batches_repeats_and_crashes(seed: int) -> None:
    world = World()
    album = Album(seed, world)
    chance = random.Random(1000 + seed)  # noqa: S311 - chance, not a secret
    _dies_at_random(world, chance)
    stream: list[Json] = []
    done = 0
    while done < len(stream) or len(stream) < 120:
        if len(stream) < 120 and chance.random() < 0.6:
            album.change()
            stream += records_of(world)
            continue
        if chance.random() < 0.2 and done:  # a repeat, and not in order
            first = chance.randrange(done)
            _projected(world, stream[first : first + chance.randrange(1, 12)])
        batch = stream[done : done + chance.randrange(1, 25)]
        if _projected(world, batch):
            done += len(batch)
    agree(album)
    gone = set(album.ids) - set(album.documents())
    told = {(one["subject"], int(one["id"].rpartition(".")[2])) for one in world.topic.published}
    assert told == {one for one in album.results if one[0] not in gone} | {
        one for one in told if one[0] in gone
    }


def _projected(world: World, records: list[Json]) -> bool:
    """Whether a batch was done, and not broken off."""
    try:
        return project({"Records": records}, world) == {"batchItemFailures": []}  # type: ignore[arg-type]
    except Killed:
        return False


def _dies_at_random(world: World, chance: random.Random) -> None:
    """One call in fifteen is a process's last, before or after it took effect."""
    projecting: Any = world

    def mortal(act: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            fate = chance.random()
            if fate < 0.03:
                raise Killed
            answer = act(*arguments, **named)
            if fate > 0.97:
                raise Killed
            return answer

        return call

    for part, name in ((world.table, "write_many"), (world.objects, "write_sidecar")):
        setattr(part, name, mortal(getattr(part, name)))
    projecting.topic.publish_many = mortal(world.topic.publish_many)
    whole = world.table.transact
    doomed = mortal(whole)
    # Only the projection's transactions: it is the projector that dies here, not who changes records.
    world.table.transact = lambda writes: doomed(writes) if len(writes) > 1 else whole(writes)  # type: ignore[method-assign]


@pytest.mark.parametrize("seed", range(10))
def test_usage_counts_each_result_once_whatever_is_repeated(seed: int) -> None:
    world = World()
    album = Album(seed, world)
    for _ in range(60):
        album.change()
    stream = records_of(world)
    chance = random.Random(seed)  # noqa: S311 - chance, not a secret
    for start in range(0, len(stream), 7):
        project({"Records": stream[max(0, start - chance.randrange(9)) : start + 7]}, world)  # type: ignore[arg-type]
    days = world.usage.days("default", "2026-01-01", "2026-01-31", most=40)
    # A result of an image that was deleted within its batch was told to nobody and is not counted.
    assert sum(day.images for day in days) <= album.first_results
    kept = set(album.documents())
    assert sum(day.calls.get("fake", 0) for day in days) <= album.calls
    assert sum(day.images for day in days) >= len(kept & {one for one, _ in album.results})


@pytest.mark.parametrize("seed", range(8))
def test_two_projectors_of_the_same_changes_do_not_disturb_each_other(seed: int) -> None:
    """A function that was stopped at its timeout may still be at work when its batch comes again."""
    world = World()
    album = Album(seed, world)
    stream: list[Json] = []
    for _ in range(80):
        album.change()
    stream += records_of(world)
    batches = [stream[start : start + 10] for start in range(0, len(stream), 10)]
    barrier = threading.Barrier(3)

    def run(repeats: int) -> None:
        barrier.wait()
        for place, batch in enumerate(batches):
            assert _projected(world, batch)
            for old in batches[max(0, place - repeats) : place]:
                assert _projected(world, old)

    threads = [threading.Thread(target=run, args=(repeats,)) for repeats in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    agree(album)


def labelled(world: World, *names: str) -> Record:
    image_id = new_id()
    image = Image(image_id, "default", key_for("default", image_id), "labelling", "a.jpg", "2026-01-01")
    record = world.images.create(image)
    labels = tuple(Label(name, 90.0) for name in names)
    done = dataclasses.replace(image, status="labelled", labels=labels, result=1)
    return world.images.finish(world.images.claim(record, image), Outcome(done))


def test_a_fault_that_may_pass_brings_back_the_changes_that_met_it() -> None:
    world = World()
    labelled(world, "cat")
    (event,) = world.changes()
    whole = world.topic.publish_many

    def fail(messages: Any) -> None:
        raise Unavailable("SNS did not answer.")

    world.topic.publish_many = fail  # type: ignore[method-assign]
    answer = project(event, world)  # type: ignore[arg-type]
    numbers = [record["dynamodb"]["SequenceNumber"] for record in event["Records"]]
    assert answer == {"batchItemFailures": [{"itemIdentifier": number} for number in numbers]}
    world.topic.publish_many = whole  # type: ignore[method-assign]
    assert project(event, world) == {"batchItemFailures": []}  # type: ignore[arg-type]
    assert world.counts() == {"cat": 1}
    assert len(world.topic.published) == 1


def corrected(world: World, record: Record) -> None:
    pipeline.correct("default", record.image.id, [LabelEdit("dog", True)], world)  # type: ignore[arg-type]


def binned(world: World, record: Record) -> None:
    pipeline.delete_image("default", record.image.id, world)  # type: ignore[arg-type]


def failed_for_other_bytes(world: World, record: Record) -> None:
    claimed = world.images.claim(record, dataclasses.replace(record.image, status="labelling"))
    failed = dataclasses.replace(record.image, status="failed", labels=(), result=2)
    world.images.finish(claimed, Outcome(failed, "failed"))


def relabelled(world: World, record: Record) -> None:
    pipeline.relabel("default", record.image.id, Asked(), world)  # type: ignore[arg-type]
    wished = world.images.find("default", record.image.id)
    assert wished is not None
    for event in world.changes():
        assert project(event, world) == {"batchItemFailures": []}  # type: ignore[arg-type]
    again = dataclasses.replace(wished.image, status="labelled", labels=(Label("dog", 80.0),), result=2)
    world.images.finish(world.images.claim(wished, wished.image), Outcome(again))


@pytest.mark.parametrize("follow", [corrected, binned, failed_for_other_bytes, relabelled])
def test_a_change_that_was_given_up_half_done_is_made_good_by_the_next(
    follow: Callable[[World, Record], None],
) -> None:
    """Lambda gives a batch up in the end; its last try may have written entries and counted nothing."""
    world = World()
    labelled(world, "cat")
    world.project()
    record = labelled(world, "cat")
    (event,) = world.changes()
    whole = world.table.transact

    def die(writes: Any) -> None:
        raise Killed

    world.table.transact = die  # type: ignore[method-assign]
    assert not _projected(world, event["Records"])
    world.table.transact = whole  # type: ignore[method-assign]

    follow(world, record)

    assert [one.result for one in world.history.of("default", record.image.id)] == [2, 1]
    assert sum(day.images for day in world.usage.days("default", "2000", "3000", most=9)) == 2
    assert list(repair("default", world, mend=False)) == []  # type: ignore[arg-type]
    assert world.counts().get("cat", 0) == 1 + (follow is corrected)


def test_an_erased_image_that_comes_through_the_stream_again_is_neither_told_nor_counted_again() -> None:
    world = World()
    record = labelled(world, "cat")
    pipeline.delete_image("default", record.image.id, world, permanent=True)  # type: ignore[arg-type]
    world.project()
    before = len(world.topic.published)
    world.images.touch("default", record.image.id)
    assert sum(day.images for day in world.usage.days("default", "2000", "3000", most=9)) == 1
    assert len(world.topic.published) == before


def test_an_image_that_cannot_be_projected_holds_up_nobody_and_is_projected_once_it_can_be() -> None:
    world = World()
    poison, sound = labelled(world, "cat"), labelled(world, "dog")
    key = record_key("default", poison.image.id)
    body = world.table.get(key)["body"]  # type: ignore[index]
    world.table.write(Update(key, set={"body": b"nonsense", "version": poison.version + 1}))
    world.project()
    assert world.counts() == {"dog": 1}
    assert [one.id for one in world.listed()] == [sound.image.id]
    world.clock.forward(REBUILD_SECONDS + 1)
    pipeline.sweep(world)  # type: ignore[arg-type]
    world.project()
    assert world.counts() == {"dog": 1}
    world.table.write(Update(key, set={"body": body}))
    world.clock.forward(3600)
    pipeline.sweep(world)  # type: ignore[arg-type]
    assert world.counts() == {"cat": 1, "dog": 1}
    world.clock.forward(24 * 3600)
    pipeline.sweep(world)  # type: ignore[arg-type]
    assert list(world.due.keys(REBUILD_SHARDS)) == []


def test_a_result_that_no_fan_out_confirms_is_told_again_and_a_confirmed_one_is_not() -> None:
    world = World()
    labelled(world, "cat")
    world.project()
    for _ in range(2):  # SNS lost it, or the fan-out failed for good
        world.topic.published.clear()
        world.clock.forward(CONFIRM_SECONDS + 3600)
        pipeline.sweep(world)  # type: ignore[arg-type]
        assert len(world.topic.published) == 1
    Mail(world).announce()
    world.topic.published.clear()
    world.clock.forward(24 * 3600)
    pipeline.sweep(world)  # type: ignore[arg-type]
    assert world.topic.published == []


def test_the_news_that_an_image_was_erased_is_told_again_until_it_is_confirmed_and_nothing_older() -> None:
    world = World()
    record = labelled(world, "cat")
    world.project()
    pipeline.delete_image("default", record.image.id, world, permanent=True)  # type: ignore[arg-type]
    world.project()
    for _ in range(2):
        world.topic.published.clear()  # SNS lost it
        world.clock.forward(CONFIRM_SECONDS + 3600)
        pipeline.sweep(world)  # type: ignore[arg-type]
        [told] = world.topic.published
        assert (told["type"], told["id"]) == ("sightline.image.deleted", f"{record.image.id}.2")
    Mail(world).announce()
    world.topic.published.clear()
    world.clock.forward(24 * 3600)
    pipeline.sweep(world)  # type: ignore[arg-type]
    assert world.topic.published == []
    assert list(world.due.keys(FANOUT_SHARDS)) == []


def test_an_image_with_more_names_than_a_transaction_holds_is_counted_whole() -> None:
    world = World()
    names = [f"{'long ' * 20}{number}" for number in range(230)]
    record = labelled(world, *names)
    world.project()
    assert len(catalogue.counts_of(world.table, "default")) == 232  # type: ignore[arg-type]
    world.images.erase(record)
    world.project()
    assert catalogue.counts_of(world.table, "default") == {}  # type: ignore[arg-type]


def test_names_too_long_for_a_key_are_shown_and_not_indexed() -> None:
    world = World()
    labelled(world, "x" * 2000, "cat")
    assert world.counts() == {"cat": 1}


def test_many_owners_in_one_batch_keep_to_themselves() -> None:
    world = World()
    for owner in ("anna", "ben", "cleo"):
        for _ in range(4):
            image_id = new_id()
            image = Image(image_id, owner, key_for(owner, image_id), "labelling", "", "2026-01-01")
            record = world.images.create(image)
            done = dataclasses.replace(image, status="labelled", labels=(Label(owner, 90.0),), result=1)
            world.images.finish(world.images.claim(record, image), Outcome(done))
    world.project()
    for owner in ("anna", "ben", "cleo"):
        counts = catalogue.counts_of(world.table, owner)  # type: ignore[arg-type]
        assert counts == {"all": 4, "taken:": 4, f"label:{owner}": 4}


def names_in(world: World) -> set[str]:
    """The names of labels that stand in the rows of the counts, whatever they count."""
    rows = world.table.query(catalogue.row_key("default", "all").pk, limit=10_000)
    return {name[1:] for row in rows for name in row if name.startswith(".")}


LONG = "cat " * 20 + "cat"


def test_a_name_goes_with_the_last_image_that_has_it() -> None:
    world = World()
    records = [labelled(world, *names) for names in (("cat", LONG), ("cat", "dog"))]
    world.project()
    assert names_in(world) == {"cat", "dog", LONG}
    world.images.erase(records[0])
    world.project()
    world.clock.forward(catalogue.ZERO_SECONDS + 1)
    world.table.expire(world.clock())
    assert names_in(world) == {"cat", "dog"}
    pipeline.correct("default", records[1].image.id, [LabelEdit("dog", False)], world)  # type: ignore[arg-type]
    world.project()
    assert names_in(world) == {"cat"}
    assert world.counts() == {"cat": 1}


def test_the_row_of_a_long_name_that_is_used_again_stays() -> None:
    world = World()
    record = labelled(world, LONG)
    world.project()
    world.images.erase(record)
    world.project()
    labelled(world, LONG)
    world.project()
    world.clock.forward(catalogue.ZERO_SECONDS + 1)
    world.table.expire(world.clock())
    assert world.counts() == {LONG: 1}


def test_a_name_that_is_counted_while_it_is_to_be_dropped_stays() -> None:
    world = World()
    once, whole = [True], world.table.get_many
    labelled(world, "dog")
    world.project()
    key = catalogue.row_key("default", "label:dog")
    world.table.write(Update(key, add={".dog": -1, "moves": 1}))

    def read(keys: Any) -> Any:
        found = whole(keys)
        if once and once.pop():
            world.table.write(Update(key, add={".dog": 1, "moves": 1}))  # another projector, in this moment
        return found

    world.table.get_many = read  # type: ignore[method-assign]
    catalogue.forget_zeros(world.table, "default", {"label:dog": -1}, world.now())  # type: ignore[arg-type]
    assert world.counts() == {"dog": 1}


def test_rows_that_are_no_records_are_passed_over_where_no_filter_is_set() -> None:
    event = {"Records": [{"dynamodb": {"Keys": {"pk": {"S": "default#x"}, "sk": {"S": "lookup"}}}}]}
    assert project(event, World()) == {"batchItemFailures": []}  # type: ignore[arg-type]


def test_a_record_that_somebody_deleted_by_hand_takes_everything_derived_along() -> None:
    world = World()
    record = labelled(world, "cat")
    world.project()
    world.table.write(Delete(record_key("default", record.image.id)))
    assert world.counts() == {}
    assert world.listed() == ()
    assert world.objects.sidecars == {}


def test_a_copy_of_an_old_record_is_projected_though_a_newer_one_was() -> None:
    """A table that was restored, or an object that was adopted, begins with a version above the old one."""
    world = World()
    record = labelled(world, "cat")
    world.project()
    world.images.erase(record)
    world.project()
    world.clock.forward(60)
    world.table.write(Update(record_key("default", record.image.id), remove=["revision"]))
    item = world.table.get(record_key("default", record.image.id))
    assert item is not None
    assert StoredImage(item).erased
    world.images.create(dataclasses.replace(record.image, labels=(Label("dog", 90.0),)))
    assert world.counts() == {"dog": 1}


def test_restoring_takes_away_entries_that_a_dead_process_left() -> None:
    world = World()
    record = labelled(world, "cat")
    world.project()
    world.table.write(
        Update(Key(index.partition("default", "label:dog"), record.image.id), set=IndexEntry().to_item())
    )
    rebuild("default", record.image.id, world, suspects=["label:dog"])  # type: ignore[arg-type]
    assert world.table.query(index.partition("default", "label:dog"), limit=5) == []
    assert list(repair("default", world, mend=False)) == []  # type: ignore[arg-type]
    assert world.table.get(marker_key("default", record.image.id)) is not None
