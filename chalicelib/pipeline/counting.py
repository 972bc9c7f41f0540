"""What is counted for an owner's day, wherever it is written."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.expressions import Write
from chalicelib.ids import rfc3339
from chalicelib.library import usage
from chalicelib.library.outcome import Outcome
from chalicelib.model import Image
from chalicelib.wiring import Services


def calls_for(image: Image, calls: Mapping[str, int], services: Services) -> list[Write]:
    """The writes that count what was called for an image; they go along with the answer, once it is there."""
    return usage.counted(image.owner, _today(services), image.id, calls)


def result_of(outcome: Outcome, services: Services) -> list[Write]:
    """The writes that count an image's first result, and a call that was spared."""
    image = outcome.image
    first, spared = int(image.result == 1), int(outcome.kind == "copied")
    return usage.counted(image.owner, _today(services), image.id, {}, images=first, spared=spared)


def _today(services: Services) -> str:
    return rfc3339(services.now())[:10]
