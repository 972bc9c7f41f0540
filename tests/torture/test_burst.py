"""A burst of images, shorter than that of ``make torture``, of which every promise is kept as well."""

from __future__ import annotations

import pytest

from torture.figures import broken
from torture.parts import apart

pytestmark = [pytest.mark.slow, pytest.mark.nightly]


def test_a_burst_loses_and_doubles_nothing() -> None:
    figures = apart("burst", seed=7, scale=0.015)
    assert broken(figures) == []
    measured = {one.what: one.measured for one in figures}
    assert measured["images"] == measured["results told"] == "150"
    assert measured["recognised at once, at most"] == "5"
