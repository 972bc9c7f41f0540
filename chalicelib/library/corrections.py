"""Corrections: the labels and the caption that are shown, made from a recogniser's and a person's."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from chalicelib.errors import Conflict
from chalicelib.library.captions import template
from chalicelib.model import Caption, Correction, Label, normalised

MOST_CORRECTIONS = 200  # of an image: the record is one item of at most 400 KB
SURE = 100.0  # the confidence of a person's label without a number
BY_XMP = "xmp"  # the author of a correction that is a keyword in the photo's XMP


def effective_labels(seen: Sequence[Label], corrections: Sequence[Correction]) -> tuple[Label, ...]:
    """The labels that are shown, the most confident first: a correction outranks the recogniser.

    A label that a person has removed is also removed from parents and aliases, so that the image is not found
    by it.
    """
    if not corrections:
        return tuple(seen)
    by_name = {normalised(one.name): one for one in corrections}
    removed = {name for name, one in by_name.items() if not one.present}
    kept = [_without(label, removed) for label in seen if normalised(label.name) not in removed]
    known = {normalised(label.name) for label in kept}
    labels = [_confirmed(label, by_name.get(normalised(label.name)), removed) for label in kept]
    labels += [_added(one, removed) for name, one in by_name.items() if one.present and name not in known]
    return tuple(sorted(labels, key=lambda label: -label.confidence))


def effective_caption(
    seen: Caption | None, labels: Sequence[Label], current: Caption | None
) -> Caption | None:
    """The caption that is shown: the ``current`` one if a person wrote it, else the recogniser's.

    A template caption is made again from the ``labels`` that are shown.
    """
    if current is not None and current.source == "person":
        return current
    return template(labels) if seen is not None and seen.source == "template" else seen


def correction_of(corrections: Iterable[Correction], name: str) -> Correction | None:
    """The correction of a label, or None."""
    return next((one for one in corrections if normalised(one.name) == normalised(name)), None)


def with_correction(corrections: Iterable[Correction], new: Correction) -> tuple[Correction, ...]:
    """The corrections with ``new``, which replaces an earlier correction of its label.

    :raises Conflict: there are too many corrections.
    """
    changed = (*without_correction(corrections, new.name), new)
    if len(changed) > MOST_CORRECTIONS:
        raise Conflict(
            f"An image takes {MOST_CORRECTIONS} corrections; take some back.", code="too-many-corrections"
        )
    return changed


def with_keywords(
    corrections: tuple[Correction, ...], keywords: Iterable[Correction]
) -> tuple[Correction, ...]:
    """The corrections with as many keywords as fit; a label's earlier correction stays."""
    known = {normalised(one.name) for one in corrections}
    new = {normalised(one.name): one for one in keywords if normalised(one.name) not in known}
    return (*corrections, *new.values())[: max(MOST_CORRECTIONS, len(corrections))]


def without_correction(corrections: Iterable[Correction], name: str) -> tuple[Correction, ...]:
    """The corrections without that of the label ``name``."""
    return tuple(one for one in corrections if normalised(one.name) != normalised(name))


def _without(label: Label, removed: set[str]) -> Label:
    return dataclasses.replace(
        label, parents=_except(label.parents, removed), aliases=_except(label.aliases, removed)
    )


def _except(names: Iterable[str], removed: set[str]) -> tuple[str, ...]:
    return tuple(name for name in names if normalised(name) not in removed)


def _confirmed(label: Label, correction: Correction | None, removed: set[str]) -> Label:
    if correction is None:
        return label
    confidence = SURE if correction.confidence is None else correction.confidence
    parents = label.parents if correction.parents is None else _except(correction.parents, removed)
    return dataclasses.replace(label, confidence=confidence, parents=parents, source="person")


def _added(correction: Correction, removed: set[str]) -> Label:
    confidence = SURE if correction.confidence is None else correction.confidence
    parents = _except(correction.parents or (), removed)
    return Label(correction.name, confidence, parents=parents, source="person")
