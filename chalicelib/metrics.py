"""CloudWatch metrics, written as log lines in the embedded metric format.

CloudWatch extracts them from the log, so no call is made and none can fail. A line has one metric (Amazon
CloudWatch user guide, "Specification: Embedded metric format") and the context fields of every line.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.model import Json

log = logging.getLogger("sightline.metrics")

NAMESPACE = "Sightline"
MOST_VALUES = 100  # of one metric on one line


@dataclass(frozen=True)
class Metric:
    """A metric's CloudWatch ``name`` and ``unit``; ``by`` is its dimension besides the stage."""

    name: str
    unit: str
    by: str = ""

    @property
    def dimensions(self) -> list[str]:
        return ["stage", self.by] if self.by else ["stage"]


IMAGES_LABELLED = Metric("ImagesLabelled", "Count")
IMAGES_FAILED = Metric("ImagesFailed", "Count", "code")
RECOGNISER_TIME = Metric("RecogniserTime", "Milliseconds", "recogniser")
DELIVERIES = Metric("Deliveries", "Count", "outcome")
MESSAGE_AGE = Metric("MessageAge", "Seconds", "queue")


class Metrics:
    """Writes the metrics of a ``stage``; without a stage, as offline, it writes none."""

    def __init__(self, stage: str, now: Callable[[], float]) -> None:
        self._stage = stage
        self._now = now

    def put(self, metric: Metric, *values: float, by: str = "") -> None:
        """Write up to 100 values; ``by`` is the value of the metric's dimension."""
        if self._stage and values:
            log.info("%s", metric.name, extra={"fields": self._fields(metric, values[:MOST_VALUES], by)})

    def _fields(self, metric: Metric, values: tuple[float, ...], by: str) -> Json:
        described = {
            "Namespace": NAMESPACE,
            "Dimensions": [metric.dimensions],
            "Metrics": [{"Name": metric.name, "Unit": metric.unit}],
        }
        dimensions = dict(zip(metric.dimensions, (self._stage, by), strict=False))
        measured = values[0] if len(values) == 1 else list(values)
        directive = {"Timestamp": round(self._now() * 1000), "CloudWatchMetrics": [described]}
        return {"_aws": directive, **dimensions, metric.name: measured}
