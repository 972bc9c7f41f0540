"""XMP keywords: keywords that people have written into XMP become corrections.

A keyword is ignored if its label has a correction already: a label that a person removed does not come back.

The XMP is in the photo, or in a sidecar beside it in the bucket: ``photo.jpg.xmp`` or ``photo.xmp``. Sidecar
and photo come in any order:

* A sidecar that comes later adds its keywords to the image.
* For a sidecar that comes first, the photo's labeler has to list the bucket, which costs a call. It does so
  only if the owner has sidecars at all. That flag is in the row of the renames, which the labeler reads
  anyway. After the flag was set, a sidecar waits once until all labelers have ended that may have read the
  row before.
"""

from __future__ import annotations

import dataclasses
import logging
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from chalicelib.errors import Busy, Conflict, NotFound, TooMuch
from chalicelib.ids import rfc3339
from chalicelib.intake.objects import is_litter, is_sidecar
from chalicelib.library.bounds import check_item, check_user_data
from chalicelib.library.corrections import BY_XMP, with_keywords
from chalicelib.library.grammar import MOST_NAME_BYTES
from chalicelib.library.record import Outcome, Record, parse_key
from chalicelib.library.renames import Rules
from chalicelib.model import (
    DEFAULT_OWNER,
    LONGEST_LABEL_NAME,
    MOST_PARENTS,
    Correction,
    Image,
    Label,
    ObjectUploaded,
    normalised,
)
from chalicelib.pipeline.bin import Check, accept_any
from chalicelib.pipeline.curation import revise
from chalicelib.wiring import Services

if TYPE_CHECKING:
    from chalicelib.intake.keywords import Keyword

log = logging.getLogger("sightline.xmp_keywords")

_NO_NAME = ("Cc", "Cs")  # Unicode categories: controls, surrogates
_REPLACEMENT = "\ufffd"  # stands for characters that could not be decoded
SUFFIX = len(".xmp")
MOST_ALIKE = 100  # keys with a photo's prefix that are listed
MOST_BESIDE = 4  # sidecars of one photo that are read
LABELER_SECONDS = 120.0  # twice the labeler's timeout


def corrections_in(packets: Iterable[bytes], rules: Rules, now: float) -> tuple[Correction, ...]:
    """The keywords in XMP packets as corrections, with the owner's renames applied."""
    from chalicelib.intake.keywords import keywords_in  # most photos have none

    return _corrections((one for packet in packets for one in keywords_in(packet)), rules, now)


def with_room_for(outcome: Outcome, record: Record) -> Outcome:
    """The outcome, without its keywords if the image would become too large by them."""
    try:
        result = outcome.of(record)
        check_user_data(result.image, before=record.image)
        check_item(result)
    except TooMuch as error:
        log.info("keywords left out: %r: %s", outcome.image.key, error)
        return dataclasses.replace(outcome, keywords=())
    return outcome


def add_keywords(
    owner: str, image_id: str, packet: bytes, services: Services, *, check: Check = accept_any
) -> Image:
    """Add the keywords of a packet to an image; returns the image.

    :raises BadRequest: the packet cannot be read.
    :raises NotFound: there is no such image.
    :raises Conflict: it is in the bin.
    :raises TooMuch: the image would become too large.
    """
    from chalicelib.intake.keywords import read

    rules = services.renames.rules(owner)
    keywords = _corrections(read(packet), rules, services.now())

    def say(record: Record) -> tuple[Iterable[Label], tuple[Correction, ...]]:
        check(record)
        corrections = with_keywords(record.image.corrections, keywords)
        return rules.labels(record.seen), rules.corrections(corrections)

    return revise(owner, image_id, say, "corrected", services)[0]


def _add_if_possible(owner: str, image_id: str, packet: bytes, services: Services) -> None:
    """As :func:`add_keywords`, but an error is only logged."""
    try:
        add_keywords(owner, image_id, packet, services)
    except (NotFound, Conflict, TooMuch) as error:
        log.info("keywords left out: image %r: %s", image_id, error)


def take_sidecar(uploaded: ObjectUploaded, services: Services) -> None:
    """Add a sidecar's keywords to its photos; a sidecar without people's keywords, as our own, does nothing.

    :raises Busy: a labeler that does not look for sidecars yet may be at work on its photo.
    """
    from chalicelib.intake.keywords import MOST_BYTES, keywords_in

    packet = b"" if uploaded.removed else _content(uploaded.key, MOST_BYTES, services)
    if not keywords_in(packet):
        return
    if parse_key(uploaded.key[:-SUFFIX]):
        photos, since = [uploaded.key[:-SUFFIX]], 0.0
    else:
        since = services.renames.note_sidecars(DEFAULT_OWNER)
        photos = list(_photos_of(uploaded.key, services))
    unknown = []
    for key in photos:
        record = services.images.find_by_key(key)
        if record:
            _add_if_possible(record.image.owner, record.image.id, packet, services)
        else:
            unknown.append(key)
    wait = since + LABELER_SECONDS - services.now()
    if unknown and wait > 0:
        raise Busy(f"Being labelled, maybe: {unknown[0]!r}", retry_after=wait)


def packets_beside(key: str, services: Services) -> Iterator[bytes]:
    """The contents of a photo's sidecars in the bucket."""
    from chalicelib.intake.keywords import MOST_BYTES

    if parse_key(key):
        return
    folder, _, name = key.rpartition("/")
    stem = f"{folder}/{_stem(name)}"
    alike = (one for one, _ in islice(services.objects.listed(f"{stem}."), MOST_ALIKE))
    beside = (one for one in alike if is_sidecar(one) and one[:-SUFFIX] in (key, stem))
    for one in islice(beside, MOST_BESIDE):
        yield _content(one, MOST_BYTES, services)


def _corrections(keywords: Iterable[Keyword], rules: Rules, now: float) -> tuple[Correction, ...]:
    at = rfc3339(now)
    corrections = [
        Correction(name, True, BY_XMP, at, parents=tuple(_names(one.parents))[:MOST_PARENTS] or None)
        for one in keywords
        for name in _names([one.name])
    ]
    return rules.corrections(corrections) if corrections else ()


def _names(names: Iterable[str]) -> Iterator[str]:
    """The names that are valid for labels, with white space collapsed."""
    for one in names:
        name = " ".join(one.split())
        compared = len(normalised(name).encode("utf-8", "surrogatepass"))
        sound = _REPLACEMENT not in name and not any(unicodedata.category(char) in _NO_NAME for char in name)
        if sound and len(name) <= LONGEST_LABEL_NAME and 1 <= compared <= MOST_NAME_BYTES:
            yield name


def _photos_of(key: str, services: Services) -> Iterator[str]:
    """The photos in the bucket that a sidecar belongs to: by its full name, or by its stem."""
    whole = key[:-SUFFIX]
    if services.objects.etag(whole) is not None:
        yield whole
    for one, _ in islice(services.objects.listed(f"{whole}."), MOST_ALIKE):
        folder, _, name = one.rpartition("/")
        if not is_sidecar(one) and not is_litter(one) and f"{folder}/{_stem(name)}" == whole:
            yield one


def _stem(name: str) -> str:
    return name.rpartition(".")[0] or name


def _content(key: str, most: int, services: Services) -> bytes:
    """The content of a sidecar; empty if it is gone or too large."""
    try:
        stored = services.objects.read(key, max_bytes=most)
    except NotFound:
        return b""
    if stored.content is None:
        log.info("too large for a sidecar: %r", key)
    return stored.content or b""
