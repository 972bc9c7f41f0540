"""The protocol of recognisers, and the choice of the labels that are the answer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

from chalicelib.aws import TimeLeft, unhurried
from chalicelib.model import Label, Model, Photo, Recognition, RecognitionOptions, normalised

# Recognisers are asked for labels down to this confidence, so that "why not?" has an answer.
SEEN_FROM = 20.0
# A record is one item of at most 400 KB ("Quotas", DynamoDB), and so is a kept answer; text, moderation and
# the terms of the index have to fit in as well.
MOST_BYTES = 120_000
MOST_BYTES_PASSED_OVER = 60_000
MOST_PASSED_OVER = 100


class Recogniser(Protocol):
    """Says what is on a photo. Implementations may be called from several threads at once."""

    def recognise(
        self, photo: Photo, options: RecognitionOptions, time_left: TimeLeft = unhurried
    ) -> Recognition:
        """Labels by falling confidence, as :func:`recognition_of` chooses them; maybe none.

        Confidences are 0–100; boxes are fractions of the upright photo, inside 0–1. It returns or raises
        before ``time_left()`` is 0. Raises :exc:`~chalicelib.errors.UnusableImage` or
        :exc:`~chalicelib.errors.RecogniserRefused` where another try cannot help,
        :exc:`~chalicelib.errors.Unavailable` where it may.
        """
        ...

    @property
    def reads_bucket(self) -> bool:
        """Whether it reads the object under ``photo.key`` itself, which may be a newer one by then."""
        ...

    @property
    def model(self) -> Model:
        """The model that is going to answer; ``version`` is empty where only an answer tells it.

        Two recognisers of one name and one version give the same answers to the same questions.
        """
        ...


def lowest_confidence(options: RecognitionOptions) -> float:
    """The confidence from which on a recogniser should return labels."""
    return min(SEEN_FROM, options.min_confidence)


def recognition_of(
    seen: Iterable[Label], model: Model, options: RecognitionOptions, **rest: Any
) -> Recognition:
    """The recognition with the labels of ``seen`` that were asked for; ``rest`` are its other fields."""
    if "labels" not in options.features:
        return Recognition((), model, **rest)
    ordered = sorted((one for one in seen if one.confidence >= lowest_confidence(options)), key=_falling)
    wanted = [one for one in ordered if _wanted(one, options)][: options.max_labels]
    kept = tuple(_within(MOST_BYTES, wanted))
    names = {one.name for one in kept}
    others = [one for one in ordered if one.name not in names][:MOST_PASSED_OVER]
    return Recognition(kept, model, passed_over=tuple(_within(MOST_BYTES_PASSED_OVER, others)), **rest)


def is_excluded(label: Label, options: RecognitionOptions) -> bool:
    """Whether a filter keeps the label out, however sure it is."""
    names = _comparable((label.name, *label.aliases))
    categories = _comparable(label.categories)
    if names & _comparable(options.exclude_labels) or categories & _comparable(options.exclude_categories):
        return True
    if not (options.include_labels or options.include_categories):
        return False
    included = names & _comparable(options.include_labels) or categories & _comparable(
        options.include_categories
    )
    return not included


def _wanted(label: Label, options: RecognitionOptions) -> bool:
    return label.confidence >= options.min_confidence and not is_excluded(label, options)


def _falling(label: Label) -> float:
    return -label.confidence


def _within(room: int, labels: Sequence[Label]) -> Iterator[Label]:
    """The first labels, as many as fit into ``room`` bytes of JSON."""
    for label in labels:
        room -= len(json.dumps(label.to_json(), ensure_ascii=False).encode())
        if room < 0:
            return
        yield label


def _comparable(names: Iterable[str]) -> set[str]:
    return set(map(normalised, names))
