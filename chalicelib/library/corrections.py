"""Labels and captions as they are shown: what a recogniser saw, as a person has corrected it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from chalicelib.errors import Conflict
from chalicelib.library.captions import template
from chalicelib.model import Caption, Correction, Label, normalised

MOST_CORRECTIONS = 200  # an image: the record is one item of at most 400 KB
SURE = 100.0  # a person's word, where the person gave no number
BY_XMP = "xmp"  # who says what is a keyword in the photo's XMP


def effective_labels(seen: Sequence[Label], corrections: Sequence[Correction]) -> tuple[Label, ...]:
    """The labels of an image, the surest first: a person's word counts, else the recogniser's.

    What a person has removed is gone as a parent and as an alias too, so that nothing finds the image by it.
    """
    if not corrections:
        return tuple(seen)
    said = {normalised(one.name): one for one in corrections}
    gone = {name for name, one in said.items() if not one.present}
    kept = [_without(label, gone) for label in seen if normalised(label.name) not in gone]
    known = {normalised(label.name) for label in kept}
    labels = [_confirmed(label, said.get(normalised(label.name)), gone) for label in kept]
    labels += [_added(one, gone) for name, one in said.items() if one.present and name not in known]
    return tuple(sorted(labels, key=lambda label: -label.confidence))


def effective_caption(seen: Caption | None, labels: Sequence[Label], said: Caption | None) -> Caption | None:
    """The caption of an image: what a person ``said`` counts, else what was ``seen``.

    One that is made of labels follows them, as they are corrected and called by now.
    """
    if said is not None and said.source == "person":
        return said
    return template(labels) if seen is not None and seen.source == "template" else seen


def correction_of(corrections: Iterable[Correction], name: str) -> Correction | None:
    """What a person has said of a label, if anything."""
    return next((one for one in corrections if normalised(one.name) == normalised(name)), None)


def with_correction(corrections: Iterable[Correction], word: Correction) -> tuple[Correction, ...]:
    """The corrections with ``word`` in place of what was said of this label before.

    :raises Conflict: there are too many.
    """
    made = (*without_correction(corrections, word.name), word)
    if len(made) > MOST_CORRECTIONS:
        raise Conflict(
            f"An image takes {MOST_CORRECTIONS} corrections; take some back.", code="too-many-corrections"
        )
    return made


def with_keywords(
    corrections: tuple[Correction, ...], keywords: Iterable[Correction]
) -> tuple[Correction, ...]:
    """The corrections with keywords, as many as fit; what was said of a label before stays."""
    said = {normalised(one.name) for one in corrections}
    new = {normalised(one.name): one for one in keywords if normalised(one.name) not in said}
    return (*corrections, *new.values())[: max(MOST_CORRECTIONS, len(corrections))]


def without_correction(corrections: Iterable[Correction], name: str) -> tuple[Correction, ...]:
    """The corrections without what was said of this label."""
    return tuple(one for one in corrections if normalised(one.name) != normalised(name))


def _without(label: Label, gone: set[str]) -> Label:
    return dataclasses.replace(
        label, parents=_spared(label.parents, gone), aliases=_spared(label.aliases, gone)
    )


def _spared(names: Iterable[str], gone: set[str]) -> tuple[str, ...]:
    return tuple(name for name in names if normalised(name) not in gone)


def _confirmed(label: Label, word: Correction | None, gone: set[str]) -> Label:
    if word is None:
        return label
    confidence = SURE if word.confidence is None else word.confidence
    parents = label.parents if word.parents is None else _spared(word.parents, gone)
    return dataclasses.replace(label, confidence=confidence, parents=parents, source="person")


def _added(word: Correction, gone: set[str]) -> Label:
    confidence = SURE if word.confidence is None else word.confidence
    return Label(word.name, confidence, parents=_spared(word.parents or (), gone), source="person")
