"""People of a schedule (torture/people.py) do what they do, and do not wait for ever."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from torture.people import LONGEST_PATIENCE, GivenUp, People, Story


def test_who_waits_in_vain_takes_the_image_for_lost_and_time_goes_on() -> None:
    """Patience that doubled for ever drove the clock past the year 9999."""
    nothing = SimpleNamespace(images=SimpleNamespace(find_by_key=lambda key: None))
    world: Any = SimpleNamespace(seed=1, quiet=nothing)
    waiting = People(world)._found(Story(1, "uploads/lost.png", []))
    waits: list[Any] = []
    with pytest.raises(GivenUp):
        waits.extend(waiting)
    assert LONGEST_PATIENCE < sum(waits) < 3 * LONGEST_PATIENCE
