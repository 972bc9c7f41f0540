"""An image's history: its last results, which the projection stores beside the record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.expressions import Delete, Item, Key, Put
from chalicelib.library.record import ResultKind, StoredImage, packed, record_key, unpacked
from chalicelib.model import Failure, Json, Model, normalised, time_of
from chalicelib.table import Table

KEPT = 30  # results of an image; older ones are deleted


@dataclass(frozen=True)
class Step:
    """One result: how it came about (``kind``), its model, and its ``labels`` (name → confidence)."""

    result: int
    at: str
    kind: ResultKind
    labels: dict[str, float]
    model: Model | None
    copied_from: str | None
    error: Failure | None

    @classmethod
    def of(cls, stored: StoredImage) -> Step:
        """The step of an image's current result."""
        document = stored.document
        error = stored.setback or (document["error"] and Failure.from_json(document["error"]))
        return cls(
            result=stored.result,
            at=time_of(document),
            kind=stored.kind or "recognised",
            labels=_confidences(document["labels"]),
            model=Model.from_json(document["model"]) if document["model"] else None,
            copied_from=document["copied_from"],
            error=error or None,
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


@dataclass(frozen=True)
class StepChange:
    """The difference between two results: names added and removed, and confidences (before, after)."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    confidence: dict[str, tuple[float, float]]

    @classmethod
    def between(cls, before: Step, after: Step) -> StepChange:
        """The difference; names are compared normalised, so case does not matter."""
        old = {normalised(name): confidence for name, confidence in before.labels.items()}
        new = {normalised(name): confidence for name, confidence in after.labels.items()}
        return cls(
            added=tuple(name for name in after.labels if normalised(name) not in old),
            removed=tuple(name for name in before.labels if normalised(name) not in new),
            confidence={
                name: (old[normalised(name)], confidence)
                for name, confidence in after.labels.items()
                if old.get(normalised(name), confidence) != confidence
            },
        )


class History:
    """Reads the history of images."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def of(self, owner: str, image_id: str) -> list[Step]:
        """The last steps of an image, newest first."""
        items = self._table.query(
            record_key(owner, image_id).pk, prefix=_PREFIX, limit=KEPT, newest_first=True
        )
        return [Step.from_json(unpacked(item["step"])) for item in items]


def added(stored: StoredImage) -> list[Put | Delete]:
    """The writes that add an image's current result to its history, and delete the oldest one."""
    owner, image_id, result = stored.owner, stored.id, stored.result
    step: Item = {"step": packed(Step.of(stored).to_json())}
    gone = [Delete(_key(owner, image_id, result - KEPT))] if result > KEPT else []
    return [Put(_key(owner, image_id, result), step), *gone]


def removed(table: Table, owner: str, image_id: str) -> list[Put | Delete]:
    """The writes that delete an image's history."""
    pk = record_key(owner, image_id).pk
    return [Delete(Key(pk, str(item["sk"]))) for item in table.query(pk, prefix=_PREFIX, limit=2 * KEPT)]


_PREFIX = "result#"


def _key(owner: str, image_id: str, result: int) -> Key:
    return Key(record_key(owner, image_id).pk, f"{_PREFIX}{result:09d}")


def _confidences(labels: Sequence[Json]) -> dict[str, float]:
    """Confidence by name; of labels that share a name the first, the most confident one, counts."""
    confidences: dict[str, float] = {}
    for label in labels:
        confidences.setdefault(label["name"], round(label["confidence"], 2))
    return confidences
