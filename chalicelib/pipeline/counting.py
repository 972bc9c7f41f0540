"""What is counted for an owner's day, wherever it is written."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.errors import RecogniserRefused
from chalicelib.expressions import Write
from chalicelib.ids import rfc3339
from chalicelib.library import usage
from chalicelib.library.outcome import Outcome
from chalicelib.model import Image
from chalicelib.wiring import Services


def check_budget(owner: str, services: Services) -> None:
    """Raise :exc:`RecogniserRefused` where an owner's recogniser calls of today (UTC) are used up.

    Workers that ask at the same moment may go over by as many as they are.
    """
    most, today = services.settings.daily_calls, _today(services)
    if not most:
        return
    called = sum(sum(day.calls.values()) for day in services.usage.days(owner, today, today, most=1))
    if called >= most:
        raise RecogniserRefused(
            f"Today's {most} calls of the recogniser are used up; have it labelled again tomorrow.",
            code="budget-used-up",
        )


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
