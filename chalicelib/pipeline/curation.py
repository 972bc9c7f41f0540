"""A person corrects an image's labels, writes its caption, or has it recognised again.

What is said of a label, and a caption that a person wrote, hold against every recogniser, now and later.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from chalicelib.errors import Conflict, NotFound
from chalicelib.ids import rfc3339
from chalicelib.library.bounds import check_item
from chalicelib.library.corrections import (
    correction_of,
    effective_caption,
    with_correction,
    without_correction,
)
from chalicelib.library.record import Record, Relabel, ResultKind
from chalicelib.model import Asked, Caption, Correction, Image, Label, normalised
from chalicelib.pipeline.arrival import send_to_labeler
from chalicelib.pipeline.bin import Check, accept_any, refuse_binned
from chalicelib.wiring import Services

Corrections = tuple[Correction, ...]
Said = tuple[Iterable[Label], Corrections]  # what was seen, and what a person says


@dataclass(frozen=True)
class LabelEdit:
    """What a person says of a label: it is ``present``, it is not, or (None) nothing any more."""

    name: str
    present: bool | None
    confidence: float | None = None
    parents: tuple[str, ...] | None = None


def correct(
    owner: str,
    image_id: str,
    words: Sequence[LabelEdit],
    services: Services,
    *,
    lenient: bool = False,
    check: Check = accept_any,
) -> tuple[Image, bool]:
    """Apply a person's words to an image at once; gives it as it is then, and whether anything changed.

    ``check`` raises where the image is not what the person has seen.

    :raises NotFound: there is no such image; or, unless ``lenient``, nothing to take away or to take back.
    :raises Conflict: it is in the bin.
    """
    rules = services.renames.rules(owner)

    def say(record: Record) -> Said:
        check(record)
        corrections = record.image.corrections
        for word in words:
            named = dataclasses.replace(word, name=rules.name(word.name))
            if not lenient:
                _refuse_idle(named, corrections, record)
            corrections = _after(corrections, named, record, rfc3339(services.now()))
        return rules.labels(record.seen), rules.corrections(corrections)

    return revise(owner, image_id, say, "corrected", services)


def label_edits(add: Iterable[str], remove: Iterable[str]) -> list[LabelEdit]:
    """The words that add and remove labels by their names."""
    return [*(LabelEdit(name, True) for name in add), *(LabelEdit(name, False) for name in remove)]


def revise(
    owner: str, image_id: str, say: Callable[[Record], Said], kind: ResultKind, services: Services
) -> tuple[Image, bool]:
    """Store what ``say`` makes of an image's record as a new result; the projection makes it known."""

    def revised(record: Record) -> Record | None:
        refuse_binned(record)
        made = _revised(record, *say(record), rfc3339(services.now()))
        if made:
            check_item(made, before=record)
        return made

    record, changed = services.images.edit(owner, image_id, revised, kind)
    return record.image, changed


def rename_image(owner: str, image_id: str, services: Services) -> bool:
    """Give an image's labels the names that they have by now; whether any changed."""
    rules = services.renames.rules(owner)
    return revise(
        owner,
        image_id,
        lambda record: (rules.labels(record.seen), rules.corrections(record.image.corrections)),
        "renamed",
        services,
    )[1]


def fit_to_vocabulary(owner: str, image_id: str, services: Services) -> bool:
    """Show what was seen on an image in the terms of its owner's vocabulary; whether any label changed.

    The recogniser's cached answer tells what was seen, also what an earlier vocabulary did not show.
    """
    rules = services.renames.rules(owner)

    def say(record: Record) -> Said:
        cached = services.recognition_cache.find(owner, record.recognition)
        seen = cached.recognition.labels if cached else record.seen
        return rules.labels(seen), record.image.corrections

    return revise(owner, image_id, say, "renamed", services)[1]


def write_caption(
    owner: str,
    image_id: str,
    services: Services,
    *,
    text: str | None = None,
    alt: str | None = None,
    check: Check = accept_any,
) -> Image:
    """Let a person's words stand for the model's; what is None stays as it is shown.

    ``check`` raises where the image is not what the person has seen.

    :raises NotFound: there is no such image.
    :raises Conflict: it is in the bin.
    """

    def written(record: Record) -> Record | None:
        check(record)
        shown = record.image.caption or Caption("", "", "person")
        caption = Caption(
            shown.text if text is None else text, shown.alt if alt is None else alt, "person", shown.language
        )
        return _captioned(record, caption, services)

    return services.images.edit(owner, image_id, written, "corrected")[0].image


def remove_caption(owner: str, image_id: str, services: Services, *, check: Check = accept_any) -> Image:
    """Let the model's caption count again, or none.

    :raises NotFound: there is no such image, or nobody has written a caption.
    :raises Conflict: it is in the bin.
    """

    def taken_back(record: Record) -> Record | None:
        check(record)
        caption = record.image.caption
        if caption is None or caption.source != "person":
            raise NotFound("Nobody has written a caption.", code="no-such-caption")
        return _captioned(record, effective_caption(record.seen_caption, record.image.labels, None), services)

    return services.images.edit(owner, image_id, taken_back, "corrected")[0].image


def relabel(owner: str, image_id: str, asked: Asked, services: Services) -> Image:
    """Put an image back to be labelled; what is not ``asked`` for stays as it was asked before.

    :raises NotFound: there is no such image.
    :raises Conflict: it has not been labelled yet, is just being labelled, or is in the bin.
    """

    def wished(record: Record) -> Record:
        refuse_binned(record)
        if not record.image.final:
            raise Conflict("The image is still to be labelled.", code="not-labelled-yet")
        given = {name: value for name, value in asked.asked().items() if value is not None}
        return dataclasses.replace(
            record,
            image=dataclasses.replace(record.image, status="labelling", **given),
            relabel=Relabel(services.now(), labelled=record.image.status == "labelled"),
        )

    image = services.images.edit(owner, image_id, wished)[0].image
    send_to_labeler(image, services)
    return image


def _refuse_idle(word: LabelEdit, corrections: Corrections, record: Record) -> None:
    """Tell a person who takes back what nobody said, or away what is not there."""
    if word.present is None and correction_of(corrections, word.name) is None:
        raise NotFound(f"Nobody has corrected {word.name}.", code="no-such-correction")
    if word.present is False and not _mentioned(record, corrections, word.name):
        raise NotFound(f"The image has no label {word.name}.", code="no-such-label")


def _after(corrections: Corrections, word: LabelEdit, record: Record, now: str) -> Corrections:
    """The corrections once ``word`` was said; saying a thing again changes nothing."""
    said = correction_of(corrections, word.name)
    if word.present is None:
        return without_correction(corrections, word.name)
    if not word.present and not _mentioned(record, corrections, word.name):
        return corrections
    parents = word.parents if word.present else None
    made = Correction(
        _spelled(record, word.name), word.present, record.image.owner, now, word.confidence, parents
    )
    if said and dataclasses.replace(made, at=said.at) == said:
        return corrections
    return with_correction(corrections, made)


def _revised(record: Record, seen: Iterable[Label], corrections: Corrections, now: str) -> Record | None:
    """The record with these labels as a new result; None where it stays as it is."""
    told = record.with_labels(seen, corrections)
    if told == record:
        return None
    if not record.image.final:  # the result that is being made will have them
        return told
    image = dataclasses.replace(
        told.image, result=record.image.result + 1, corrected_at=now, restored_at=None
    )
    return dataclasses.replace(told, image=image)


def _spelled(record: Record, name: str) -> str:
    """The name as the recogniser spells it, if it knows it."""
    names = (label.name for label in record.seen)
    return next((one for one in names if normalised(one) == normalised(name)), name)


def _mentioned(record: Record, corrections: Corrections, name: str) -> bool:
    """Whether anything on the image goes by this name: a label, a parent, an alias, a correction."""
    labels = [(one.name, *one.parents, *one.aliases) for one in record.seen]
    words = [(one.name, *(one.parents or ())) for one in corrections]
    return any(normalised(one) == normalised(name) for names in (*labels, *words) for one in names)


def _captioned(record: Record, caption: Caption | None, services: Services) -> Record | None:
    """The record with this caption as a new result; None where it stays as it is."""
    refuse_binned(record)
    image = record.image
    if image.caption == caption:
        return None
    image = dataclasses.replace(image, caption=caption)
    if image.final:  # else the result that is being made will have it
        now = rfc3339(services.now())
        image = dataclasses.replace(image, result=image.result + 1, corrected_at=now, restored_at=None)
    made = dataclasses.replace(record, image=image)
    check_item(made, before=record)
    return made
