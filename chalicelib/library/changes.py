"""What differs between two results of an image."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.library.history import Step
from chalicelib.model import normalised


@dataclass(frozen=True)
class Change:
    """Names that came and went, and confidences (before, after)."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    confidence: dict[str, tuple[float, float]]

    @classmethod
    def between(cls, before: Step, after: Step) -> Change:
        """Names are compared as everywhere: case does not matter."""
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
