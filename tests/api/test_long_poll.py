"""Waiting within a request."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from chalicelib.api.long_poll import preferred, until_final
from chalicelib.model import Image
from tests.fakes.clock import Clock

WAITING = Image("1", "default", "uploads/1", "labelling", "", "2026-01-01T00:00:00Z")
DONE = dataclasses.replace(WAITING, status="labelled")


def seen(*images: Image) -> Iterator[Image]:
    yield from images
    while True:
        yield images[-1]


def test_a_final_image_is_given_without_a_pause() -> None:
    clock = Clock()
    assert until_final(lambda: DONE, 20, clock=clock, sleep=clock.forward) is DONE
    assert clock() == Clock()()


def test_an_image_is_looked_at_once_a_second_until_it_is_final() -> None:
    clock, images = Clock(), seen(WAITING, WAITING, WAITING, DONE)
    assert until_final(lambda: next(images), 20, clock=clock, sleep=clock.forward) is DONE
    assert clock() - Clock()() == 3


def test_waiting_ends_on_time_and_never_looks_twice_within_a_second() -> None:
    clock, looked = Clock(), []

    def look() -> Image:
        looked.append(clock() - Clock()())
        return WAITING

    assert until_final(look, 2.5, clock=clock, sleep=clock.forward) is WAITING
    assert looked == [0, 1, 2.5]


def test_waiting_ends_where_no_more_seconds_are_granted() -> None:
    clock, granted = Clock(), iter([True, True, False])
    assert until_final(lambda: WAITING, 20, lambda: next(granted), clock, clock.forward) is WAITING
    assert clock() - Clock()() == 2


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("wait=5", 5),
        ("respond-async, Wait = 10; x=y", 10),
        ('wait="3"', 3),
        ("wait=600", 20),
        ("", None),
        ("wait", None),
        ("wait=-1", None),
        ("wait=soon, wait=2", 2),
        ("wait=1.5", None),
    ],
)
def test_a_preference_for_waiting_is_understood_or_ignored(header: str, seconds: int | None) -> None:
    assert preferred(header) == seconds
