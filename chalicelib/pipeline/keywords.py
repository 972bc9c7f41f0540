"""Keywords that people have put into XMP become corrections: they count as a person's word and stay.

A keyword says nothing where somebody has spoken of that label before: who took one away does not get it back.
"""

from __future__ import annotations

import dataclasses
import logging
import unicodedata
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from chalicelib.errors import Conflict, NotFound, TooMuch
from chalicelib.ids import rfc3339
from chalicelib.library.bounds import check_item, check_said
from chalicelib.library.corrections import BY_XMP, with_keywords
from chalicelib.library.grammar import MOST_NAME_BYTES
from chalicelib.library.record import Outcome, Record
from chalicelib.library.renames import Rules
from chalicelib.model import Correction, Image, Label, normalised
from chalicelib.pipeline.bin import Check, anyhow
from chalicelib.pipeline.curating import revise
from chalicelib.wiring import Services

if TYPE_CHECKING:
    from chalicelib.intake.keywords import Keyword

log = logging.getLogger("sightline.keywords")

# As long as the API lets people's names for labels be.
LONGEST_NAME = 128
MOST_PARENTS = 20
_NO_NAME = ("Cc", "Cs")  # controls, surrogates
_REPLACEMENT = "\ufffd"  # of what could not be read


def corrections_in(packets: Iterable[bytes], rules: Rules, now: float) -> tuple[Correction, ...]:
    """What people say in XMP packets, under its owner's names for labels."""
    from chalicelib.intake.keywords import keywords_in  # most photos have none

    return _corrections((one for packet in packets for one in keywords_in(packet)), rules, now)


def with_room_for(outcome: Outcome, record: Record) -> Outcome:
    """The outcome, without its keywords where the image has no room for them."""
    try:
        made = outcome.of(record)
        check_said(made.image, before=record.image)
        check_item(made)
    except TooMuch as error:
        log.info("keywords left out: %r: %s", outcome.image.key, error)
        return dataclasses.replace(outcome, keywords=())
    return outcome


def add_keywords(
    owner: str, image_id: str, packet: bytes, services: Services, *, check: Check = anyhow
) -> Image:
    """Add what people say in a packet to an image; gives it as it is then.

    ``check`` raises where the image is not what the person has seen.

    :raises BadRequest: the packet cannot be read.
    :raises NotFound: there is no such image.
    :raises Conflict: it is in the bin.
    :raises TooMuch: it has no room for them.
    """
    from chalicelib.intake.keywords import read

    rules = services.renames.rules(owner)
    keywords = _corrections(read(packet), rules, services.now())

    def say(record: Record) -> tuple[Iterable[Label], tuple[Correction, ...]]:
        check(record)
        said = with_keywords(record.image.corrections, keywords)
        return rules.labels(record.seen), rules.corrections(said)

    return revise(owner, image_id, say, "corrected", services)[0]


def add_if_possible(owner: str, image_id: str, packet: bytes, services: Services) -> None:
    """The same where nobody waits to hear that it could not be done."""
    try:
        add_keywords(owner, image_id, packet, services)
    except (NotFound, Conflict, TooMuch) as error:
        log.info("keywords left out: image %r: %s", image_id, error)


def _corrections(keywords: Iterable[Keyword], rules: Rules, now: float) -> tuple[Correction, ...]:
    at = rfc3339(now)
    said = [
        Correction(name, True, BY_XMP, at, parents=tuple(_names(one.parents))[:MOST_PARENTS] or None)
        for one in keywords
        for name in _names([one.name])
    ]
    return rules.corrections(said) if said else ()


def _names(names: Iterable[str]) -> Iterator[str]:
    """Those that can be names of labels, tidied."""
    for one in names:
        name = " ".join(one.split())
        compared = len(normalised(name).encode("utf-8", "surrogatepass"))
        sound = _REPLACEMENT not in name and not any(unicodedata.category(char) in _NO_NAME for char in name)
        if sound and len(name) <= LONGEST_NAME and 1 <= compared <= MOST_NAME_BYTES:
            yield name
