"""What is shown of what was seen and what was said: a person's word counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import Conflict
from chalicelib.library.corrections import (
    MOST_CORRECTIONS,
    effective_labels,
    with_correction,
    without_correction,
)
from chalicelib.model import Correction, Label, normalised

AT = "2026-03-01T00:00:00.000Z"
TABBY = Label("Tabby", 80.0, parents=("Cat", "Animal"), aliases=("Tiger Cat",))
CAT = Label("Cat", 90.0, parents=("Animal",))


def said(name: str, present: bool, **more: object) -> Correction:
    return Correction(name, present, "default", AT, **more)  # type: ignore[arg-type]


def test_without_a_word_labels_stay_as_they_were_seen() -> None:
    assert effective_labels([TABBY, CAT], []) == (TABBY, CAT)


def test_what_is_removed_is_gone_as_a_parent_and_as_an_alias_too() -> None:
    (left,) = effective_labels([CAT, TABBY], [said("CAT", False), said("tiger cat", False)])
    assert (left.name, left.parents, left.aliases) == ("Tabby", ("Animal",), ())


def test_what_is_confirmed_is_sure_and_keeps_what_the_recogniser_knows_of_it() -> None:
    confirmed = effective_labels([CAT, TABBY], [said("tabby", True)])[0]
    assert (confirmed.name, confirmed.confidence, confirmed.source) == ("Tabby", 100.0, "person")
    assert confirmed.parents == TABBY.parents


def test_what_is_added_has_the_confidence_and_the_parents_that_were_said() -> None:
    words = [said("Rex", True, confidence=85.0, parents=("Dog", "Cat")), said("cat", False)]
    assert effective_labels([CAT], words) == (Label("Rex", 85.0, parents=("Dog",), source="person"),)


def test_the_last_word_on_a_label_replaces_the_one_before_and_can_be_taken_back() -> None:
    words = with_correction(with_correction((), said("cat", False)), said("Cat", True))
    assert [one.present for one in words] == [True]
    assert without_correction(words, "CAT") == ()


def test_there_is_an_end_to_correcting_one_image() -> None:
    words = tuple(said(f"label {number}", True) for number in range(MOST_CORRECTIONS))
    with_correction(words, said("label 7", False))
    with pytest.raises(Conflict):
        with_correction(words, said("one more", True))


names = st.sampled_from(["cat", "Cat", "dog", "animal", "tabby", "Tabby"])
labels = st.builds(
    Label,
    names,
    st.floats(0, 100),
    parents=st.lists(names, max_size=2).map(tuple),
    aliases=st.lists(names, max_size=2).map(tuple),
)
words = st.lists(st.builds(said, names, st.booleans(), parents=st.none() | st.lists(names).map(tuple)))


@given(st.lists(labels, max_size=5), words)
def test_nothing_that_was_removed_is_shown_and_all_that_was_added_is(
    seen: list[Label], spoken: list[Correction]
) -> None:
    corrections: tuple[Correction, ...] = ()
    for word in spoken:
        corrections = with_correction(corrections, word)
    shown = effective_labels(seen, corrections)
    found = {normalised(n) for label in shown for n in (label.name, *label.parents, *label.aliases)}
    named = {normalised(label.name) for label in shown}
    for word in corrections:
        if word.present:
            assert normalised(word.name) in named
        else:
            assert normalised(word.name) not in found
