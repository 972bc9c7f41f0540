"""An image's history: its results, what changed between them, and why it has a label."""

from __future__ import annotations

import dataclasses
from itertools import zip_longest
from typing import TYPE_CHECKING

from chalice.app import Request, Response

from chalicelib import pipeline
from chalicelib.api import responses
from chalicelib.api.fields import required
from chalicelib.api.requests import owner_of, query_of
from chalicelib.library.history import Step, StepChange
from chalicelib.model import LONGEST_LABEL_NAME, Json

if TYPE_CHECKING:
    from chalicelib.wiring import Services


def show(request: Request, services: Services, image_id: str) -> Response:
    """``GET /images/{id}/history``: the last results, newest first."""
    query_of(request, ())
    image = services.images.get(owner_of(request), image_id)
    steps = services.history.of(image.owner, image.id)
    shown = [_step(step, before) for step, before in zip_longest(steps, steps[1:])]
    return responses.fresh({"history": shown})


def _step(step: Step, before: Step | None) -> Json:
    labels = [{"name": name, "confidence": confidence} for name, confidence in step.labels.items()]
    return {**step.to_json(), "labels": labels, "changes": _changes(step, before)}


def _changes(step: Step, before: Step | None) -> Json | None:
    """The changes since the result before; None if that one is no longer stored."""
    if before is None:
        return None
    change = StepChange.between(before, step)
    confidence = [
        {"name": name, "before": old, "after": new} for name, (old, new) in change.confidence.items()
    ]
    return {"added": list(change.added), "removed": list(change.removed), "confidence": confidence}


def why(request: Request, services: Services, image_id: str) -> Response:
    """``GET /images/{id}/why``: why it has a label, or has not."""
    query = query_of(request, ("label",))
    label = required(query.line("label", longest=LONGEST_LABEL_NAME), "?label")
    reason = pipeline.why(owner_of(request), image_id, label, services)
    return responses.fresh({"label": label, **dataclasses.asdict(reason)})
