"""Asks the embedded networks first, a dearer recogniser only where they are unsure: most photos are free."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from chalicelib.aws import TimeLeft, unhurried
from chalicelib.model import Label, Model, Photo, Recognition, RecognitionOptions
from chalicelib.recognition.recogniser import Recogniser


class CascadeRecogniser:
    """Asks ``first``, and also ``second`` where no special label of the first reaches ``threshold`` (0–100).

    A label is *special* if it has parents or instances: "animal" alone says too little, a domestic cat or a
    person with a box is enough. What was seen counts, before any filter. The answer names the recogniser
    whose labels it has. What only the second can give (image properties, moderation, text, a caption) is
    always asked of it, without labels where they are not needed.
    """

    def __init__(self, first: Recogniser, second: Recogniser, threshold: float) -> None:
        self._first = first
        self._second = second
        self._threshold = threshold

    def recognise(
        self, photo: Photo, options: RecognitionOptions, time_left: TimeLeft = unhurried
    ) -> Recognition:
        if "labels" not in options.features:
            return self._second.recognise(photo, options, time_left)
        own = self._first.recognise(photo, options, time_left)
        sure = self._sure((*own.labels, *own.passed_over))
        features = tuple(one for one in options.features if one != "labels" or not sure)
        if not features:
            return own
        other = self._second.recognise(photo, dataclasses.replace(options, features=features), time_left)
        calls = {**own.calls, **other.calls}
        if not sure:
            return dataclasses.replace(other, calls=calls)
        return dataclasses.replace(
            own,
            properties=other.properties,
            moderation=other.moderation,
            text=other.text,
            caption=other.caption,
            calls=calls,
        )

    @property
    def reads_bucket(self) -> bool:
        return self._first.reads_bucket or self._second.reads_bucket

    @property
    def model(self) -> Model:
        """Both, and the threshold between them; an answer's model is the one whose labels it has."""
        first, second = self._first.model, self._second.model
        versions = (first.version, second.version)
        name = f"{first.name}, below {self._threshold:g} {second.name}"
        return Model(name, ", ".join(versions) if all(versions) else "")

    def _sure(self, seen: Iterable[Label]) -> bool:
        special = (label for label in seen if label.parents or label.instances)
        return any(label.confidence >= self._threshold for label in special)
