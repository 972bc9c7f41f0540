"""An image's history: what each of its last results was, kept beside the record."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.expressions import Delete, Key, Put, Write
from chalicelib.library.outcome import Kind
from chalicelib.library.record import record_key
from chalicelib.model import Failure, Image, Json, Label, Model
from chalicelib.table import Table

KEPT = 30  # results an image; older ones make room


@dataclass(frozen=True)
class Step:
    """How a result came about (``kind``), by whom or what, and the ``labels`` since: name → confidence."""

    result: int
    at: str
    kind: Kind
    labels: dict[str, float]
    model: Model | None
    copied_from: str | None
    error: Failure | None

    @classmethod
    def of(cls, image: Image, kind: Kind, error: Failure | None) -> Step:
        """The step that led to the present result of ``image``."""
        return cls(
            result=image.result,
            at=image.corrected_at or image.completed_at or image.created_at,
            kind=kind,
            labels=_confidences(image.labels),
            model=image.model,
            copied_from=image.copied_from,
            error=error or image.error,
        )

    def to_json(self) -> Json:
        return {
            "result": self.result,
            "at": self.at,
            "kind": self.kind,
            "labels": self.labels,
            "model": self.model and self.model.to_json(),
            "copied_from": self.copied_from,
            "error": self.error and self.error.to_json(),
        }

    @classmethod
    def from_json(cls, data: Json) -> Step:
        model, error = data["model"], data["error"]
        return cls(
            **{
                **data,
                "model": Model.from_json(model) if model else None,
                "error": Failure.from_json(error) if error else None,
            }
        )


class History:
    """Reads what the transactions of the records have written."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def of(self, owner: str, image_id: str) -> list[Step]:
        """The last steps of an image, newest first."""
        items = self._table.query(
            record_key(owner, image_id).pk, prefix=_PREFIX, limit=KEPT, newest_first=True
        )
        return [Step.from_json(json.loads(str(item["step"]))) for item in items]


def added(image: Image, kind: Kind, error: Failure | None = None) -> list[Write]:
    """The writes that remember the present result of ``image`` and let the oldest go."""
    step = json.dumps(Step.of(image, kind, error).to_json(), ensure_ascii=False, separators=(",", ":"))
    writes: list[Write] = [Put(_key(image, image.result), {"step": step})]
    if image.result > KEPT:
        writes.append(Delete(_key(image, image.result - KEPT)))
    return writes


def removed(image: Image) -> Sequence[Write]:
    """The writes that forget everything of ``image``; at most :data:`KEPT`."""
    oldest = max(1, image.result - KEPT + 1)
    return [Delete(_key(image, result)) for result in range(oldest, image.result + 1)]


_PREFIX = "result#"


def _key(image: Image, result: int) -> Key:
    return Key(record_key(image.owner, image.id).pk, f"{_PREFIX}{result:09d}")


def _confidences(labels: Sequence[Label]) -> dict[str, float]:
    """By falling confidence; of labels that share a name the surest counts."""
    made: dict[str, float] = {}
    for label in labels:
        made.setdefault(label.name, round(label.confidence, 2))
    return made
