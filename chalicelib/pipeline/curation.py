"""Curation: a person corrects an image's labels, writes its caption, or has it recognised again.

Corrections and a person's caption outrank every recogniser, now and after each relabel.
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
Revision = tuple[Iterable[Label], Corrections]  # the recogniser's labels and the corrections of a new result


@dataclass(frozen=True)
class LabelEdit:
    """A person's edit of a label: it is ``present``, it is not, or (None) its correction is removed."""

    name: str
    present: bool | None
    confidence: float | None = None
    parents: tuple[str, ...] | None = None


def correct(
    owner: str,
    image_id: str,
    edits: Sequence[LabelEdit],
    services: Services,
    *,
    lenient: bool = False,
    check: Check = accept_any,
) -> tuple[Image, bool]:
    """Apply a person's label edits to an image; returns the image, and whether anything changed.

    :raises NotFound: there is no such image; or, unless ``lenient``, a label or correction to remove.
    :raises Conflict: it is in the bin.
    """
    rules = services.renames.rules(owner)

    def say(record: Record) -> Revision:
        check(record)
        corrections = record.image.corrections
        for edit in edits:
            named = dataclasses.replace(edit, name=rules.name(edit.name))
            if not lenient:
                _refuse_no_op(named, corrections, record)
            corrections = _with_edit(corrections, named, record, rfc3339(services.now()))
        return rules.labels(record.seen), rules.corrections(corrections)

    return revise(owner, image_id, say, "corrected", services)


def label_edits(add: Iterable[str], remove: Iterable[str]) -> list[LabelEdit]:
    """The edits that add and remove labels by their names."""
    return [*(LabelEdit(name, True) for name in add), *(LabelEdit(name, False) for name in remove)]


def revise(
    owner: str, image_id: str, say: Callable[[Record], Revision], kind: ResultKind, services: Services
) -> tuple[Image, bool]:
    """Store the labels and corrections of ``say(record)`` as a new result.

    Returns the image, and whether it changed.

    :raises NotFound: there is no such image.
    :raises Conflict: it is in the bin.
    """

    def revised(record: Record) -> Record | None:
        refuse_binned(record)
        changed = _revised(record, *say(record), rfc3339(services.now()))
        if changed:
            check_item(changed, before=record)
        return changed

    record, changed = services.images.edit(owner, image_id, revised, kind)
    return record.image, changed


def rename_image(owner: str, image_id: str, services: Services) -> bool:
    """Apply the owner's current renames to an image's labels; returns whether any changed."""
    rules = services.renames.rules(owner)
    return revise(
        owner,
        image_id,
        lambda record: (rules.labels(record.seen), rules.corrections(record.image.corrections)),
        "renamed",
        services,
    )[1]


def fit_to_vocabulary(owner: str, image_id: str, services: Services) -> bool:
    """Apply the owner's current vocabulary to an image's labels; returns whether any changed.

    The labels come from the cached recognition, which also has those that an earlier vocabulary has hidden.
    """
    rules = services.renames.rules(owner)

    def say(record: Record) -> Revision:
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
    """Store a person's caption or alternative text, which replaces the model's; None keeps the current one.

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
    """Remove a person's caption: the model's is shown again, if there is one.

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
    """Have an image recognised again; options that are not ``asked`` for stay as before.

    :raises NotFound: there is no such image.
    :raises Conflict: it has not been labelled yet, is just being labelled, or is in the bin.
    """

    def requested(record: Record) -> Record:
        refuse_binned(record)
        if not record.image.final:
            raise Conflict("The image is still to be labelled.", code="not-labelled-yet")
        given = {name: value for name, value in asked.asked().items() if value is not None}
        return dataclasses.replace(
            record,
            image=dataclasses.replace(record.image, status="labelling", **given),
            relabel=Relabel(services.now(), labelled=record.image.status == "labelled"),
        )

    image = services.images.edit(owner, image_id, requested)[0].image
    send_to_labeler(image, services)
    return image


def _refuse_no_op(edit: LabelEdit, corrections: Corrections, record: Record) -> None:
    """:raises NotFound: the edit would remove a correction or a label that does not exist."""
    if edit.present is None and correction_of(corrections, edit.name) is None:
        raise NotFound(f"Nobody has corrected {edit.name}.", code="no-such-correction")
    if edit.present is False and not _mentioned(record, corrections, edit.name):
        raise NotFound(f"The image has no label {edit.name}.", code="no-such-label")


def _with_edit(corrections: Corrections, edit: LabelEdit, record: Record, now: str) -> Corrections:
    """The corrections after the edit; repeating an edit changes nothing."""
    known = correction_of(corrections, edit.name)
    if edit.present is None:
        return without_correction(corrections, edit.name)
    if not edit.present and not _mentioned(record, corrections, edit.name):
        return corrections
    parents = edit.parents if edit.present else None
    new = Correction(
        _spelled(record, edit.name), edit.present, record.image.owner, now, edit.confidence, parents
    )
    if known and dataclasses.replace(new, at=known.at) == known:
        return corrections
    return with_correction(corrections, new)


def _revised(record: Record, seen: Iterable[Label], corrections: Corrections, now: str) -> Record | None:
    """The record with these labels as a new result; None if nothing changes."""
    revised = record.with_labels(seen, corrections)
    if revised == record:
        return None
    if not record.image.final:  # the result that is being made will have the corrections
        return revised
    image = dataclasses.replace(
        revised.image, result=record.image.result + 1, corrected_at=now, restored_at=None
    )
    return dataclasses.replace(revised, image=image)


def _spelled(record: Record, name: str) -> str:
    """The name in the recogniser's spelling, if it has such a label."""
    names = (label.name for label in record.seen)
    return next((one for one in names if normalised(one) == normalised(name)), name)


def _mentioned(record: Record, corrections: Corrections, name: str) -> bool:
    """Whether the image has this name as a label, a parent, an alias or a correction."""
    labels = [(one.name, *one.parents, *one.aliases) for one in record.seen]
    words = [(one.name, *(one.parents or ())) for one in corrections]
    return any(normalised(one) == normalised(name) for names in (*labels, *words) for one in names)


def _captioned(record: Record, caption: Caption | None, services: Services) -> Record | None:
    """The record with this caption as a new result; None if nothing changes."""
    refuse_binned(record)
    image = record.image
    if image.caption == caption:
        return None
    image = dataclasses.replace(image, caption=caption)
    if image.final:  # else the result that is being made will have the caption
        now = rfc3339(services.now())
        image = dataclasses.replace(image, result=image.result + 1, corrected_at=now, restored_at=None)
    changed = dataclasses.replace(record, image=image)
    check_item(changed, before=record)
    return changed
