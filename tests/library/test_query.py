"""The query language: what it understands, what it says of the rest, and that it means what it says.

Holds `chalicelib/library/conditions.py`, `chalicelib/library/grammar.py`,
`chalicelib/library/query_algebra.py`.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.errors import BadQuery
from chalicelib.ids import first_id_of
from chalicelib.library.grammar import DEEPEST, LONGEST, MOST_CONDITIONS
from chalicelib.library.query import Query, parse
from chalicelib.model import Box, Image, Instance, Label
from tests.library.naive import images, queries, says
from tests.thorough import examples

MARCH = 1_772_323_200_000  # 2026-03-01T00:00:00Z in milliseconds


def image(*labels: Label | str, at: int = MARCH, filename: str = "", status: str = "labelled") -> Image:
    made = tuple(one if isinstance(one, Label) else Label(one, 90.0) for one in labels)
    return Image(first_id_of(at), "default", "k", status, filename, "", labels=made)  # type: ignore[arg-type]


def people(number: int) -> Label:
    return Label("Person", 95.0, instances=(Instance(95.0, Box(0, 0, 1, 1)),) * number)


def test_two_people_and_a_dog_not_a_cat_this_month() -> None:
    query = parse("person>=2 & dog & !cat & after:2026-03-01")
    assert query.matches(image(people(2), "Dog"))
    assert not query.matches(image(people(1), "Dog"))
    assert not query.matches(image(people(2), "Dog", "Cat"))
    assert not query.matches(image(people(2), "Dog", at=MARCH - 1))


@pytest.mark.parametrize("text", ["animal", "ANIMAL", "Ａnimal", "tiger   cat", '"Tiger Cat"', "tabby@91.5"])
def test_parents_and_aliases_find_their_children_whatever_the_spelling(text: str) -> None:
    tabby = Label("Tabby", 91.5, parents=("Animal",), aliases=("Tiger Cat",))
    assert parse(text).matches(image(tabby))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("dog@90", True),
        ("dog@90.01", False),
        ("dog >= 1", False),  # no box was given
        ("!dog | dog", True),
        ("cat & dog | dog", True),  # & binds closer
        ("cat & (dog | dog)", False),
        ("!(cat | horse)", True),
        ("!!dog", True),
        ("status:labelled", True),
        ("STATUS : failed", False),
        ("filename:img_2", True),
        ('filename:"IMG_2026 b"', True),
        ("filename:img_3", False),
        ("before:2026-03-01", False),
        ("before:2026-03-01T00:00:00.001Z", True),
        ("after:2026-03-01T01:00:00+01:00", True),
        ("after:2026-03-01T00:00:00-00:01", False),
    ],
)
def test_what_holds_for_an_image_of_a_dog(text: str, found: bool) -> None:
    assert parse(text).matches(image("Dog", filename="IMG_2026 Beach.jpg")) is found


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("(dog)&Cat", "cat & dog"),
        ("dog | (cat | dog)", "cat | dog"),
        ("a & (b & (c | d))", "a & b & (c | d)"),
        ("!!a", "a"),
        ("!(a&b)", "!(a & b)"),
        ("tabby   CAT >=2 @ 90.50", "tabby cat@90.5>=2"),
        ("dog@0", "dog"),
        ('"a & b"', '"a & b"'),
        (r'"say \"hi\" \\o/"', r'"say \"hi\" \\o/"'),
        ("＆", '"&"'),
        ('"plain"', "plain"),
        ("before:2026-03-01T00:00:00Z", "before:2026-03-01"),
        ("after:2026-03-01T09:30:00.0001+01:00", "after:2026-03-01T08:30:00.001Z"),
        ("after:9999-12-31T23:59:59.999Z", "after:9999-12-31T23:59:59.999Z"),
        ("Status:Failed & FILENAME:Übung/a", "filename:übung/a & status:failed"),
    ],
)
def test_every_spelling_of_a_question_has_one_canonical_form(text: str, canonical: str) -> None:
    query = parse(text)
    assert str(query) == canonical
    assert parse(canonical) == query


@pytest.mark.parametrize(
    ("text", "column", "expected"),
    [
        ("", 1, "a label's name"),
        ("   ", 4, "a label's name"),
        ("cat &", 6, "a label's name"),
        ("cat & | dog", 7, "a label's name"),
        ("(cat", 5, "&, | or )"),
        ("cat)", 4, "&, | or the end"),
        ("cat (dog)", 5, "&, | or the end"),
        ("cat@", 5, "confidence"),
        ("cat@101", 5, "confidence"),
        ("cat@90.123", 5, "confidence"),
        ("cat@-1", 5, "confidence"),
        ("cat@90@80", 7, "the end"),
        ("cat>=0", 6, "whole number"),
        ("cat>=1.5", 6, "whole number"),
        ("cat>2", 4, "the end"),
        ('"cat', 5, 'closing "'),
        ('""', 1, "not empty"),
        ("colour:red", 1, "status:"),
        ("status:done", 8, "labelled"),
        ("status:", 8, "labelled"),
        ("before:yesterday", 8, "a date"),
        ("before:2026-02-30", 8, "a date"),
        ("before:2026-03-01T09:30:00", 8, "a date"),
        ("before:1969-12-31", 8, "a date"),
        ("before:9999-12-31T23:59:59-14:00", 8, "a date"),
        ("after:0000-01-01", 7, "a date"),
        ("cat\x00", 4, "printable"),
        ("c\ud800t", 2, "printable"),
        ("x" * 256, 1, "at most 255"),
        ("a" * (LONGEST + 1), LONGEST + 1, "at most"),
        ("!" * (DEEPEST + 1) + "a", DEEPEST + 2, "within each other"),
        ("(" * 400 + "a" + ")" * 400, DEEPEST + 2, "within each other"),
        ("|".join("a" * (MOST_CONDITIONS + 1)), 2 * MOST_CONDITIONS + 1, "names and fields"),
    ],
)
def test_what_is_not_understood_is_refused_with_its_column_and_what_was_expected(
    text: str, column: int, expected: str
) -> None:
    with pytest.raises(BadQuery) as refused:
        parse(text)
    assert refused.value.code == "bad-query"
    assert refused.value.data["column"] == column
    assert expected in str(refused.value.data["expected"])
    assert refused.value.detail.encode("ascii")
    assert f"Column {column} " in refused.value.detail


@settings(max_examples=examples(1000), deadline=None)
@given(st.text(st.sampled_from('ab :@>=&|!()"\\.0129-TZ\t') | st.characters(), max_size=30))
def test_any_text_is_understood_or_refused_and_never_breaks(text: str) -> None:
    try:
        query = parse(text)
    except BadQuery as error:
        column = int(error.data["column"])
    else:
        column = 1
        assert parse(str(query)) == query
    assert 1 <= column <= len(text) + 1


@settings(max_examples=examples(300), deadline=None)
@given(st.lists(queries(), min_size=4, max_size=4), st.lists(images(), min_size=4, max_size=4))
@pytest.mark.slow
def test_a_query_holds_for_an_image_exactly_where_plain_reading_says_so(
    asked: list[str], seen: list[Image]
) -> None:
    for written in asked:
        query = parse(written)
        assert parse(str(query)) == query
        assert str(parse(str(query))) == str(query)
        assert [query.matches(one) for one in seen] == [says(written, one) for one in seen]


def test_nothing_asked_is_answered_by_every_image_and_adds_nothing() -> None:
    assert Query().matches(image())
    assert str(Query()) == ""
    assert str(Query() & parse("dog") & parse("cat")) == "cat & dog"
