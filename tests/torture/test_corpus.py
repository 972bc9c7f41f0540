"""Hostile files, fewer than in ``make torture``: each comes to a declared end, in time and in memory."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.errors import Unavailable
from tests.fakes.recogniser import FakeRecogniser
from tests.fakes.world import CAT, World
from torture.corpus import DECLARED, LABELLED, outcome_of
from torture.figures import broken
from torture.parts import apart
from torture.specimens import specimen


@pytest.mark.slow
def test_whatever_is_sent_ends_as_labelled_or_with_a_declared_failure() -> None:
    figures = apart("corpus", seed=11, scale=0.125)
    assert broken(figures) == []
    ended = {
        one.what.removeprefix("that end as "): int(one.measured) for one in figures if "end as" in one.what
    }
    assert sum(ended.values()) == 300
    assert {LABELLED, "corrupt", "truncated", "not-an-image", "too-many-pixels"} <= set(ended)
    assert set(ended) <= {LABELLED, *DECLARED}


def test_a_seed_makes_the_same_files_and_another_makes_others() -> None:
    first = [specimen(5, number) for number in range(8)]
    assert first == [specimen(5, number) for number in range(8)]
    assert not set(first) & {specimen(6, number) for number in range(8)}


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(MemoryError(), "raised MemoryError"), (Unavailable("throttled"), "left as labelling")],
)
def test_an_end_that_is_none_is_told_from_those_that_are(error: Exception, outcome: str) -> None:
    world: Any = World()
    world.recogniser = FakeRecogniser(raises=[error])
    assert outcome_of(world, "uploads/cat.jpg", CAT) == outcome
