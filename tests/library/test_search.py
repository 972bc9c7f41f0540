"""Pages of a query: the right images in the right order, whatever is asked and however little may be read.

Holds `chalicelib/library/plan.py`, `chalicelib/library/streams.py`.
"""

from __future__ import annotations

import dataclasses
import datetime
import itertools
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.ids import first_id_of
from chalicelib.library import search
from chalicelib.library.query import Query, parse
from chalicelib.library.search import Search
from chalicelib.library.streams import TOP
from chalicelib.model import Image, Label
from tests.fakes.library import Library
from tests.library.naive import START, images, queries, says
from tests.thorough import examples


def read_through(
    library: Library, query: Query, *, limit: int, most_reads: int = 2000, order: str = "arrival"
) -> Iterator[list[str]]:
    """The ids of each page until nothing follows."""
    library.world.project()
    at: str | None = TOP
    while at:
        library.table.items_read = library.table.items_got = 0
        search = Search(library.table, most_reads)  # type: ignore[arg-type]
        page = search.page("default", query, limit=limit, at=at, order=order)
        assert library.table.items_read + library.table.items_got <= most_reads
        assert page.next_at is None or page.next_at < at, "no progress"
        at = page.next_at
        yield [image.id for image in page.images]


def joined(pages: Iterable[list[str]]) -> list[str]:
    return list(itertools.chain.from_iterable(pages))


@pytest.mark.slow
@settings(max_examples=examples(400), deadline=None)
@given(
    st.lists(images(), max_size=16, unique_by=lambda image: image.id),
    st.lists(queries(), min_size=8, max_size=8),
    st.integers(1, 7),
    st.sampled_from([150, 2000]),
)
def test_the_pages_of_any_query_hold_exactly_the_images_that_plain_reading_finds(
    stored: list[Image], asked: list[str], limit: int, most_reads: int
) -> None:
    library = Library()
    for image in stored:
        library.images.create(dataclasses.replace(image, key=f"uploads/{image.id}"))
    newest_first = sorted(stored, key=lambda image: image.id, reverse=True)
    for written in asked:
        pages = list(read_through(library, parse(written), limit=limit, most_reads=most_reads))
        assert joined(pages) == [image.id for image in newest_first if says(written, image)], written
        assert all(len(page) <= limit for page in pages)


def by_date(image: Image) -> str:
    """What images are sorted by: the date taken, those without one behind, then when they were handed in."""
    return f"{(image.taken_at or '')[:19]}#{image.id}"


@pytest.mark.slow
@pytest.mark.parametrize("gathered", [search.GATHERED, 3])
@settings(max_examples=examples(200), deadline=None)
@given(
    st.lists(images(), max_size=16, unique_by=lambda image: image.id),
    st.lists(queries(), min_size=8, max_size=8),
    st.integers(1, 7),
    st.sampled_from([150, 2000]),
)
def test_by_date_taken_the_pages_hold_the_same_images_in_that_order(
    gathered: int, stored: list[Image], asked: list[str], limit: int, most_reads: int
) -> None:
    library = Library()
    for image in stored:
        library.images.create(dataclasses.replace(image, key=f"uploads/{image.id}"))
    read = [one for one in stored if one.taken_at or one.status in ("labelled", "failed")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "GATHERED", gathered)
        for written in asked:
            pages = read_through(library, parse(written), limit=limit, most_reads=most_reads, order="taken")
            expected = sorted((one for one in read if says(written, one)), key=by_date, reverse=True)
            assert joined(pages) == [image.id for image in expected], written


def dated(number: int) -> Library:
    """``number`` images handed in a second apart, of which the first was taken last, one each day."""
    library = Library()
    for n in range(number):
        day = datetime.date(2026, 1, 1) - datetime.timedelta(days=n)
        labels = tuple(Label(name, 90.0) for name, step in (("common", 2), ("rare", 100)) if n % step == 0)
        image_id = first_id_of(START + n * 1000)
        library.images.create(
            Image(
                image_id,
                "default",
                f"k{n}",
                "labelled",
                "",
                "2026-03-01",
                labels=labels,
                taken_at=f"{day}T12:00:00",
            )
        )
    return library


@pytest.mark.slow
@pytest.mark.parametrize(
    ("asked", "order", "most"),
    [
        ("", "taken", 60),
        ("rare", "taken", 90),
        ("common", "taken", 1000),
        ("taken:2024-02", "taken", 90),
        ("taken:2024-02", "arrival", 300),
        ("common & taken:2024-02", "arrival", 300),
    ],
)
def test_a_page_by_date_reads_little(asked: str, order: str, most: int) -> None:
    library = dated(1000)
    query = parse(asked) if asked else Query()
    found = search.Search(library.search._table).page("default", query, limit=25, order=order)
    assert found.images
    library.table.items_read = 0
    library.world.search.page("default", query, limit=25, order=order)
    assert library.table.items_read <= most


def stocked(number: int, **every: int) -> Library:
    """``number`` images, a second apart; each label on every so many of them."""
    library = Library()
    for n in range(number):
        labels = tuple(Label(name, 90.0) for name, step in every.items() if n % step == 0)
        made = Image(
            first_id_of(START + n * 1000), "default", f"k{n}", "labelled", "", "2026-03-01", labels=labels
        )
        library.images.create(made)
    return library


def test_a_page_goes_on_exactly_where_it_ran_out_of_what_it_may_read() -> None:
    library = Library()
    for n in range(400):  # the two labels never meet, but for once at the very end
        label = "even" if n % 2 else "odd"
        both = (Label("even", 90.0), Label("odd", 90.0)) if n == 0 else (Label(label, 90.0),)
        library.images.create(
            Image(first_id_of(START + n), "default", f"k{n}", "labelled", "", "2026-03-01", labels=both)
        )
    pages = list(read_through(library, parse("even & odd"), limit=10, most_reads=100))
    assert len(pages) > 3
    assert joined(pages) == [first_id_of(START)]


def test_labels_that_never_meet_are_leapt_over() -> None:
    library = Library()
    for n in range(400):
        label = Label("old" if n < 200 else "new", 90.0)
        library.images.create(
            Image(first_id_of(START + n), "default", f"k{n}", "labelled", "", "2026-03-01", labels=(label,))
        )
    assert list(read_through(library, parse("old & new"), limit=10)) == [[]]
    assert library.table.items_read < 100


def test_a_page_of_one_label_reads_the_page_and_one_entry_more() -> None:
    library = stocked(600, common=2)
    library.table.items_read = 0
    assert len(library.found("common", limit=50)) == 50
    assert library.table.items_read == 51


@pytest.mark.slow
@pytest.mark.parametrize(
    ("asked", "most"), [("common", 3), ("common & other", 9), ("common | other", 7), ("common & rare", 9)]
)
def test_a_page_takes_few_calls(asked: str, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    library = stocked(3000, common=2, other=3, rare=60)
    search, calls = library.search, []
    for name in ("query", "get_many"):
        whole = getattr(library.table, name)
        monkeypatch.setattr(
            library.table, name, lambda *a, whole=whole, **k: (calls.append(1), whole(*a, **k))[1]
        )
    assert len(search.page("default", parse(asked), limit=50).stored) == 50
    assert len(calls) <= most


def test_what_must_not_be_there_is_only_subtracted() -> None:
    library = stocked(600, rare=60, common=2)
    library.table.items_read = 0
    page = library.search.page("default", parse("rare & !common"), limit=5)
    assert page.images == ()
    assert library.table.items_read < 30


def test_a_query_of_nothing_but_not_runs_over_all_images() -> None:
    library = stocked(30, common=2)
    assert len(joined(read_through(library, parse("!common"), limit=4))) == 15
    assert len(joined(read_through(library, parse("!common | !missing"), limit=4))) == 30


def test_times_bound_what_is_read() -> None:
    library = stocked(300, common=1)
    query = parse("common & after:2026-03-01T00:04:00Z & before:2026-03-01T00:04:10Z")
    found = joined(read_through(library, query, limit=50))
    assert found == [first_id_of(START + n * 1000) for n in range(249, 239, -1)]
    assert library.table.items_read < 120


def test_pages_neither_repeat_nor_skip_while_images_come_and_go() -> None:
    library = stocked(60, common=1)
    seen: list[str] = []
    came = 1000
    for page in read_through(library, parse("common"), limit=7):
        seen += page
        newer = Image(first_id_of(START + came * 1000), "default", f"k{came}", "labelled", "", "2026-03-01")
        library.images.create(newer)
        library.relabel(library.record(newer.id), "common")
        if came < 1004:  # one that has been shown, and one that has not
            library.images.erase(library.record(page[0]))
            library.images.erase(library.record(first_id_of(START + (came - 1000) * 1000)))
        came += 1
    assert seen == [first_id_of(START + n * 1000) for n in range(59, 3, -1)]


def test_an_image_that_has_lost_its_label_meanwhile_is_not_shown() -> None:
    library = stocked(3, common=1)
    whole = library.table.get_many

    def get_many(keys: object) -> object:
        library.table.get_many = whole  # type: ignore[method-assign]
        first = whole(keys)  # type: ignore[arg-type]  # the sizes
        library.relabel(library.record(first_id_of(START + 1000)), "other")
        return first

    library.table.get_many = get_many  # type: ignore[method-assign,assignment]
    assert library.found("common") == [first_id_of(START + 2000), first_id_of(START)]


@pytest.mark.parametrize("seed", range(3))
def test_counts_and_entries_stay_exact_while_terms_grow(seed: int) -> None:
    library = stocked(120, common=1 + seed, rare=30)
    expected = {"common": len(range(0, 120, 1 + seed)), "rare": 4}
    assert library.counts() == expected
    record = library.record(first_id_of(START))
    library.relabel(record, "rare")
    assert library.counts() == {**expected, "common": expected["common"] - 1}
    library.images.erase(library.record(first_id_of(START)))
    assert library.counts() == {"common": expected["common"] - 1, "rare": 3}
    assert len(library.found("common", limit=200)) == expected["common"] - 1


def test_the_latest_image_of_a_file_name_is_found_by_the_exact_name() -> None:
    library = Library()
    made = [library.add("cat", filename=name) for name in ("a.jpg", "a.jpg", "A.jpg")]
    assert library.search.latest_named("default", "a.jpg") == made[1].image
    assert library.search.latest_named("default", "a") is None


def test_what_must_not_be_there_is_subtracted_before_any_record_is_read() -> None:
    library = stocked(200, common=1, half=2)
    library.table.items_got = 0
    page = library.search.page("default", parse("common & !half"), limit=20)
    sizes_read = 3
    assert len(page.images) == 20
    assert library.table.items_got == 20 + sizes_read


def test_records_count_towards_what_a_request_may_read() -> None:
    library = stocked(150, common=1)
    pages = list(read_through(library, parse("common"), limit=200, most_reads=100))
    assert [first_id_of(START + n * 1000) for n in range(149, -1, -1)] == joined(pages)
    assert len(pages) > 2


def test_a_label_that_is_seen_again_with_another_confidence_has_one_entry() -> None:
    library = stocked(60, common=1)
    for n in range(60):
        library.relabel(library.record(first_id_of(START + n * 1000)), Label("common", 50.0 + n / 2))
    assert len(library.carriers("label:common")) == 60
    assert library.counts() == {"common": 60}


def test_a_page_of_large_documents_ends_early_and_goes_on_where_it_ended() -> None:
    library = Library()
    long = {"note": "".join(chr(33 + n * 7919 % 90) for n in range(300_000))}
    for n in range(30):
        made = Image(first_id_of(START + n), "default", f"k{n}", "labelled", "", "2026-03-01", text=long)
        library.images.create(made)
    pages = list(read_through(library, parse("!missing"), limit=30))
    assert [len(page) for page in pages] == [12, 12, 6]
    assert len(set(joined(pages))) == 30
