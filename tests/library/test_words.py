"""What is written on a photo, or said of it, finds it: folded, bounded, and again after every change."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib import pipeline
from chalicelib.errors import BadQuery
from chalicelib.library.query import parse
from chalicelib.library.words import MOST_WORDS, written_on, written_terms
from chalicelib.model import Asked, Caption, Json, Label
from tests.fakes.recogniser import FakeRecogniser
from tests.fakes.world import CAT, ROCKET, World

KEY = "uploads/receipt.jpg"
CAPTION = Caption("An Invoice from the café on Große Straße.", "A receipt", "model", "en")
LINES = ("TOTAL EUR 12,50", "Thank you — come again")


def read(*lines: str) -> Json:
    return {"model_version": "3.0", "detections": [{"type": "line", "text": line} for line in lines]}


@pytest.fixture
def world() -> Any:
    world = World()
    world.recogniser = FakeRecogniser(Label("Paper", 93.0))
    world.recogniser.rest = {"calls": {}, "caption": CAPTION, "text": read(*LINES)}
    pipeline.label_image(world.drop(KEY), world)
    return world


def found(world: Any, query: str) -> list[str]:
    return [image.filename for image in world.search.page("default", parse(query), limit=10).images]


@pytest.mark.parametrize(
    ("query", "finds"),
    [
        ("text:invoice", True),
        ("text:INVOICE", True),
        ('text:"total eur"', True),
        ('text:"eur total"', False),
        ('text:"again an"', False),  # another text
        ("text:inv*", True),
        ("text:invoi*", True),
        ("text:invo", False),
        ('text:"total eur 1*"', True),
        ('text:"total eur 2*"', False),
        ('text:"come aga*"', True),
        ("text:strasse", True),
        ("text:CAFE", True),
        ("text:café", True),
        ("text:50", True),
        ("text:receipt & paper", True),
        ("text:receipt & !text:total", False),
        ("!text:inv*", False),
        ('paper & !text:"eur total"', True),
        ("text:nothing | text:again", True),
    ],
)
def test_words_of_captions_and_lines_find_a_photo(world: Any, query: str, finds: bool) -> None:
    assert found(world, query) == (["receipt.jpg"] if finds else [])
    assert parse(query).matches(world.image_at(KEY)) is finds  # as subscriptions and exports ask


@pytest.mark.parametrize("query", ["text:", "text:*", "text:in*", 'text:"…"'])
def test_what_is_no_word_or_too_short_to_be_completed_is_refused(query: str) -> None:
    with pytest.raises(BadQuery, match="letters"):
        parse(query)


def test_one_spelling_stands_for_all() -> None:
    assert str(parse("TEXT : Café-INV*")) == 'text:"cafe inv*"'
    assert str(parse(str(parse('text:"Total  EUR"')))) == 'text:"total eur"'


def test_it_is_found_again_after_it_was_labelled_again_and_overwritten(world: Any) -> None:
    image = world.image_at(KEY)
    world.recogniser.rest["caption"] = Caption("A bill.", "A bill", "model")
    world.recogniser._tells_version = False
    pipeline.relabel("default", image.id, Asked(), world)
    pipeline.label_image(world.drop(KEY), world)
    assert (found(world, "text:bill"), found(world, "text:invoice")) == ([image.filename], [])
    world.recogniser.rest |= {"caption": None, "text": read("PLATFORM 9")}
    pipeline.label_image(world.drop(KEY, ROCKET), world)
    assert (found(world, 'text:"platform 9"'), found(world, "text:total")) == ([image.filename], [])
    pipeline.delete_image("default", image.id, world)
    assert found(world, "text:platform") == []


def test_a_caption_made_of_labels_costs_no_entry() -> None:
    world: Any = World(FEATURES="labels,caption")
    world.recogniser = FakeRecogniser(Label("Paper", 93.0))
    pipeline.label_image(world.drop(KEY, CAT), world)
    assert world.image_at(KEY).caption == Caption("A paper", "A paper", "template", "en")
    assert found(world, "text:paper") == []


def test_a_hundred_words_are_found_and_no_more() -> None:
    document = {"text": read(*(f"word{number} again" for number in range(300)))}
    lines = written_on(document)
    assert len({word for line in lines for word in line}) == MOST_WORDS
    assert lines[-1] == ["word98", "again"]
    assert sum(term.endswith("*") for term in written_terms(lines)) == 2
