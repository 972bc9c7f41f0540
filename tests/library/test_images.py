"""Records, index and counts, which must agree whatever happens in between.

Holds `chalicelib/library/record.py`, `chalicelib/library/index.py`.
"""

from __future__ import annotations

import dataclasses

import pytest

from chalicelib.errors import Busy, NotFound, Superseded
from chalicelib.expressions import Put
from chalicelib.ids import new_id
from chalicelib.library.images import LEASE_SECONDS, SHARDS, TOMBSTONE_SECONDS
from chalicelib.library.query import parse
from chalicelib.library.record import lookup_key, parse_key
from chalicelib.library.streams import TOP
from chalicelib.model import Image, Label
from tests.fakes.library import Library, result


@pytest.fixture
def library() -> Library:
    return Library()


def test_an_image_is_found_by_its_labels_their_parents_and_their_aliases(library: Library) -> None:
    cat = library.add(Label("Tabby Cat", 91.0, parents=("Cat", "Animal"), aliases=("Tiger Cat",)))
    for name in ("tabby cat", "CAT", "animal", "tiger  cat"):
        assert library.found(name) == [cat.image.id], name
    assert library.found("dog") == []


def test_several_labels_mean_all_of_them_newest_first(library: Library) -> None:
    both = [library.add("cat", "dog") for _ in range(3)]
    for _ in range(4):
        library.add("cat")
        library.add("dog")
    assert library.found("cat", "dog") == sorted((one.image.id for one in both), reverse=True)


def test_pages_of_a_query_neither_repeat_nor_skip(library: Library) -> None:
    made = [library.add("cat", *(["dog"] if number % 3 == 0 else [])).image.id for number in range(40)]
    expected = sorted(made[::3], reverse=True)
    seen: list[str] = []
    at: str | None = TOP
    while at:
        page = library.search.page("default", parse("cat & dog"), limit=4, at=at)
        seen += [image.id for image in page.images]
        at = page.next_at
    assert seen == expected


@pytest.mark.slow
def test_a_rare_label_beside_a_common_one_is_found_without_reading_the_common_one_through(
    library: Library,
) -> None:
    rare = [
        library.add("common", "rare").image.id if n % 100 == 0 else library.add("common") for n in range(600)
    ]
    library.world.project()
    library.table.items_read = 0
    page = library.search.page("default", parse("common & rare"), limit=2)
    assert [image.id for image in page.images] == [rare[500], rare[400]]
    assert library.table.items_read < 60


def test_another_owners_images_are_not_found(library: Library) -> None:
    mine = library.add("cat", owner="me")
    assert library.found("cat", owner="you") == []
    with pytest.raises(NotFound):
        library.images.get("you", mine.image.id)


def test_counts_follow_labels_that_come_stay_and_go(library: Library) -> None:
    record = library.add("cat", "dog")
    library.add("cat")
    assert library.counts() == {"cat": 2, "dog": 1}
    record = library.relabel(record, "cat", "horse")
    assert library.counts() == {"cat": 2, "horse": 1}
    library.images.erase(record)
    assert library.counts() == {"cat": 1}
    assert library.found("horse") == []


def test_labels_that_normalise_alike_are_counted_once(library: Library) -> None:
    library.add(Label("Cat", 90.0), Label("Tabby", 80.0, parents=("cat",)), Label("ＣＡＴ", 70.0))
    assert library.counts()["cat"] == 1


def test_the_catalogue_is_paged_by_name_and_by_prefix_and_leaves_out_what_nothing_carries(
    library: Library,
) -> None:
    gone = library.add("cat", "catfish", "catalogue")
    library.add("cat", "car", "dog")
    library.images.erase(gone)
    first = library.catalogue.by_name("default", prefix="", limit=1, after=None)
    second = library.catalogue.by_name("default", prefix="", limit=1, after=first.next_after)
    assert [first.counts[0].name, second.counts[0].name] == ["car", "cat"]
    assert library.counts(prefix="ca") == {"car": 1, "cat": 1}


def test_a_result_with_more_labels_than_a_transaction_holds_is_stored_whole(library: Library) -> None:
    names = [f"label {number}" for number in range(230)]
    record = library.add(*names)
    assert len(library.found(*names[:3])) == 1
    assert len(library.counts()) == 200  # a page's most
    library.images.erase(record)
    assert library.counts() == {}


def test_an_image_under_work_is_not_given_to_a_second_worker_until_the_lease_ends(library: Library) -> None:
    record = library.add()
    claimed = library.images.claim(record, record.image)
    with pytest.raises(Busy) as busy:
        library.images.claim(claimed, record.image)
    assert busy.value.retry_after == LEASE_SECONDS
    library.clock.forward(LEASE_SECONDS + 1)
    library.images.claim(claimed, record.image)


def test_of_two_workers_that_claim_at_once_one_is_told(library: Library) -> None:
    record = library.add()
    library.images.claim(record, record.image)
    with pytest.raises(Superseded):
        library.images.claim(record, record.image)


def test_a_worker_whose_lease_was_taken_over_cannot_store_its_result(library: Library) -> None:
    record = library.add()
    slow = library.images.claim(record, record.image)
    library.clock.forward(LEASE_SECONDS + 1)
    fast = library.images.claim(slow, record.image)
    library.images.finish(fast, result(fast.image, Label("new", 9.0)))
    with pytest.raises(Superseded):
        library.images.finish(slow, result(slow.image, Label("old", 9.0)))
    assert library.counts() == {"new": 1}


def test_an_image_is_due_until_it_has_a_result(library: Library) -> None:
    record = library.add()
    claimed = library.images.claim(record, record.image)
    library.clock.forward(LEASE_SECONDS + 1)
    assert [library.images.read(key) for key in library.world.due.keys(SHARDS)] == [claimed]
    library.images.finish(claimed, result(record.image, Label("cat", 90.0)))
    assert list(library.world.due.keys(SHARDS)) == []


def test_of_a_deleted_image_a_mark_is_left_that_expires(library: Library) -> None:
    record = library.add("cat", filename="secret.jpg")
    library.images.erase(record)
    library.world.project()
    assert library.images.find("default", record.image.id) is None
    assert library.images.was_erased("default", record.image.id)
    (left,) = library.table.items_of_kind("record")
    assert "secret" not in repr(left)
    library.clock.forward(TOMBSTONE_SECONDS + 1)
    library.table.expire(library.clock())
    library.world.project()
    assert not library.images.was_erased("default", record.image.id)


def test_a_worker_that_died_between_lookup_and_record_costs_no_image(library: Library) -> None:
    key = "uploads/a.jpg"
    image = Image(new_id(), "default", key, "labelling", "a.jpg", "2026-01-01")
    library.table.write(Put(lookup_key(key), {"image_id": image.id, "revision": "1"}))
    made = library.images.create_claimed(dataclasses.replace(image, id=new_id()))
    assert made.image.id == image.id
    assert library.images.find_by_key(key) == made


def test_a_key_whose_image_was_deleted_leads_to_a_new_one(library: Library) -> None:
    key = "uploads/a.jpg"
    old = library.images.create_claimed(Image(new_id(), "default", key, "labelling", "a.jpg", "2026-01-01"))
    lookup = library.table.get(lookup_key(key))
    assert lookup is not None
    library.images.erase(old)
    # Its row is still there: the process died before it went.
    library.table.write(Put(lookup_key(key), {"image_id": old.image.id, "revision": "1"}))
    new = library.images.create_claimed(dataclasses.replace(old.image, id=new_id()))
    assert new.image.id != old.image.id
    assert library.images.find_by_key(key) == new


def test_a_dropped_objects_key_leads_to_its_image_and_an_issued_key_says_so_itself(library: Library) -> None:
    key = "uploads/holiday/a b+c é&d.jpg"
    image = Image(new_id(), "default", key, "labelling", "holiday/a b+c é&d.jpg", "2026-01-01")
    made = library.images.create_claimed(image)
    assert library.images.find_by_key(key) == made
    issued = library.add()
    assert library.images.find_by_key(issued.image.key) == issued
    assert parse_key(key) is None
    with pytest.raises(Superseded):
        library.images.create_claimed(dataclasses.replace(image, id=new_id()))


def test_a_record_survives_its_own_json(library: Library) -> None:
    record = library.add(Label("cat", 91.5, parents=("animal",)), filename="a.jpg")
    assert library.images.find("default", record.image.id) == record
