"""Explains why an image has a label or does not have it: in a sentence, and as data."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from chalicelib.errors import NotFound
from chalicelib.library.captions import in_words
from chalicelib.library.conditions import quoted
from chalicelib.library.corrections import BY_XMP, correction_of
from chalicelib.library.query import parse
from chalicelib.library.recognition_cache import CachedRecognition
from chalicelib.library.record import Record
from chalicelib.model import Correction, Label, Model, RecognitionOptions, normalised
from chalicelib.recognition.prompt import word_for
from chalicelib.recognition.recogniser import is_excluded
from chalicelib.wiring import Services

Verdict = Literal[
    "present",
    "removed",
    "below-threshold",
    "excluded",
    "too-many",
    "not-in-vocabulary",
    "only-related",
    "not-seen",
    "no-result",
]


@dataclass(frozen=True)
class Reason:
    """The ``verdict`` on a label, with a sentence (``detail``) and data.

    ``confidence`` is the recogniser's and ``threshold`` the requested one (both 0–100), each None if it does
    not apply. ``related`` are related labels that the image has, or would have with other options.
    """

    verdict: Verdict
    detail: str
    confidence: float | None = None
    threshold: float | None = None
    related: tuple[str, ...] = ()


def why(owner: str, image_id: str, label: str, services: Services) -> Reason:
    """Explain why the image has ``label``, or does not have it.

    :raises NotFound: there is no such image.
    """
    record = services.images.find(owner, image_id)
    if record is None:
        raise NotFound(f"There is no image {image_id}.")
    name = services.renames.rules(owner).name(label)
    correction = correction_of(record.image.corrections, name)
    if correction and not correction.present:
        return _removed(correction)
    return (
        _shown(record, name)
        or _without_result(record)
        or _passed_over(record, name, services)
        or _related(record, name, services)
        or Reason("not-seen", f"Nothing like {name} was seen.")
    )


def _removed(correction: Correction) -> Reason:
    return Reason("removed", f"{correction.by} said on {correction.at} that {correction.name} is not there.")


def _shown(record: Record, name: str) -> Reason | None:
    own = _named(record.image.labels, name)
    if own:
        correction = correction_of(record.image.corrections, name)
        keyword = correction is not None and correction.by == BY_XMP
        who = "It is a keyword in the photo's XMP." if keyword else _said_by(own, record.image.model)
        return Reason("present", who, round(own.confidence, 2))
    below = [label for label in record.image.labels if _is_among(name, (*label.parents, *label.aliases))]
    if not below:
        return None
    kinds = tuple(label.name for label in below)
    found = f"The image is found by {name}, because {in_words(kinds)} was seen."
    return Reason("present", found, round(max(label.confidence for label in below), 2), related=kinds)


def _said_by(label: Label, model: Model | None) -> str:
    if label.source == "person":
        return "A person says so."
    word = word_for(label.confidence, model)
    if word is None:
        return f"It was seen with {label.confidence:.1f}."
    return (
        f"The model called it {word}, which stands for {label.confidence:.0f}: "
        "a language model's own percentages are not calibrated."
    )


def _without_result(record: Record) -> Reason | None:
    image = record.image
    if image.status == "failed" and image.error:
        return Reason("no-result", f"The image could not be labelled: {image.error.detail}")
    return None if image.final else Reason("no-result", "The image has not been labelled yet.")


def _passed_over(record: Record, name: str, services: Services) -> Reason | None:
    """The reason from the cached recognition: labels that the recogniser saw and that are not shown."""
    answer = services.recognition_cache.find(record.image.owner, record.recognition)
    if answer is None:
        return None
    rules = services.renames.rules(record.image.owner)
    hidden = rules.renamed(answer.recognition.labels) if rules.terms else ()
    own = _named(hidden, name)
    if own:
        found = f"{own.name} was seen with {own.confidence:.1f}, but it is no term of the vocabulary."
        return Reason("not-in-vocabulary", found, round(own.confidence, 2))
    seen = rules.renamed(answer.recognition.passed_over)
    own = _named(seen, name) or next((one for one in seen if _is_among(name, one.aliases)), None)
    if own:
        return _left_out(own, answer)
    kinds = [one for one in seen if _is_among(name, one.parents)]
    return dataclasses.replace(_left_out(kinds[0], answer), related=(kinds[0].name,)) if kinds else None


def _left_out(label: Label, answer: CachedRecognition) -> Reason:
    sure, asked = round(label.confidence, 2), answer.options
    if is_excluded(label, asked):
        return Reason("excluded", f"{label.name} was seen with {sure:.1f}, but {_filter(asked)}.", sure)
    if sure < asked.min_confidence:
        found = f"{label.name} was seen with {sure:.1f}, below the threshold of {asked.min_confidence:g}."
        return Reason("below-threshold", found, sure, asked.min_confidence)
    found = (
        f"{label.name} was seen with {sure:.1f}, but {asked.max_labels} surer labels were all that was asked."
    )
    return Reason("too-many", found, sure)


def _filter(asked: RecognitionOptions) -> str:
    if asked.exclude_labels or asked.exclude_categories:
        return "a filter excludes it"
    return "only other labels were asked for"


def _related(record: Record, name: str, services: Services) -> Reason | None:
    """The reason if the image has parents of the label, by the newest other image that has the label."""
    page = services.search.page(record.image.owner, parse(quoted(name)), limit=1)
    known = _named(page.images[0].labels, name) if page.images else None
    shown = {normalised(label.name) for label in record.image.labels}
    parents = tuple(one for one in (known.parents if known else ()) if normalised(one) in shown)
    if not parents:
        return None
    return Reason(
        "only-related", f"{name} was not seen, only its general term {parents[0]}.", related=parents
    )


def _named(labels: Iterable[Label], name: str) -> Label | None:
    return next((label for label in labels if normalised(label.name) == normalised(name)), None)


def _is_among(name: str, names: Sequence[str]) -> bool:
    return any(normalised(one) == normalised(name) for one in names)
