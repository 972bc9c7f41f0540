"""A value is read again when it is old, and one that could not be read is not kept."""

from __future__ import annotations

import pytest

from chalicelib.cache import Cached
from chalicelib.errors import Unavailable
from tests.fakes.clock import Clock


def test_a_value_is_read_once_until_it_is_old() -> None:
    clock, read = Clock(), iter(range(9))
    cached = Cached(lambda: next(read), 60.0, clock)
    assert [cached.value(), cached.value()] == [0, 0]
    clock.forward(59.9)
    assert cached.value() == 0
    clock.forward(0.2)
    assert cached.value() == 1


def test_what_could_not_be_read_is_read_again_by_the_next_who_asks() -> None:
    answers: list[Exception | str] = [Unavailable("not now"), "here"]

    def read() -> str:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    cached = Cached(read, 60.0, Clock())
    with pytest.raises(Unavailable):
        cached.value()
    assert cached.value() == "here"
