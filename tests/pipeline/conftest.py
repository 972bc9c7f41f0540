"""What most tests of the pipeline begin with, where they say nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.model import Label
from tests.fakes.receiver import FakeReceiver
from tests.fakes.recogniser import FakeRecogniser
from tests.fakes.world import World


@pytest.fixture
def world() -> Any:
    """A stage with an integration server, a recogniser that sees a cat, receivers that take everything."""
    world: Any = World(INTEGRATION_URL="https://partner.example/labels")
    world.recogniser = FakeRecogniser(Label("Cat", 93.0))
    world.outbound = FakeReceiver()
    return world
