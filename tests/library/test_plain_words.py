"""Plain words become the query that people mean by them."""

from __future__ import annotations

import pytest

from chalicelib.library.plain_words import translated
from chalicelib.library.query import parse

NAMES = ("dog", "cat", "dining table", "table", "café", "person", "cherry", "fox", "salt and pepper", "child")


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("dogs without cats", "dog & !cat"),
        ("dog or cats", "dog | cat"),
        ("Dining Tables, -dog", "dining table & !dog"),
        ("cafes with people", "café & person"),
        ("CAFÉ", "café"),
        ("cherries foxes children", "cherry & fox & child"),
        ("salt and pepper", "salt and pepper"),
        ("not dog", "!dog"),
        ("dog beach", "dog & named:beach"),
        ("IMG_2031 -été", "named:img_2031 & !named:ete"),
        ("dogs & cats", "dogs & cats"),
        ("taken:2019", "taken:2019"),
    ],
)
def test_words_mean_what_people_mean(text: str, query: str) -> None:
    assert translated(text, NAMES) == query
    parse(query)


def test_labels_that_hold_signs_of_the_language_are_quoted() -> None:
    assert translated("rock n roll", ["rock n roll"]) == "rock n roll"
    assert translated("ac/dc", ["ac/dc", "a & b"]) == "ac/dc"
