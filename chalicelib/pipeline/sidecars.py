"""XMP sidecars that people put beside their photos in the bucket: ``photo.jpg.xmp`` or ``photo.xmp``.

A sidecar and its photo come in any order. One that comes later speaks to the image that is there. For one
that comes first the photo's labeler has to look, and listing costs a call: so it looks only where the
bucket has sidecars with keywords of people at all, which stands in the row of its owner's renames, as that is
read anyway. Labelers that had read the row before are waited for once.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from itertools import islice

from chalicelib.errors import Busy, NotFound
from chalicelib.intake.objects import is_litter, is_sidecar
from chalicelib.library.record import parse_key
from chalicelib.model import DEFAULT_OWNER, ObjectUploaded
from chalicelib.pipeline.keywords import add_if_possible
from chalicelib.wiring import Services

log = logging.getLogger("sightline.sidecars")

SUFFIX = len(".xmp")
MOST_ALIKE = 100  # keys that begin as a photo's does
MOST_BESIDE = 4  # sidecars of one photo
LABELER_SECONDS = 120.0  # twice as long as a labeler may run


def take_sidecar(uploaded: ObjectUploaded, services: Services) -> None:
    """Give the keywords of people in a sidecar to its photos; one without them, as our own, does nothing.

    :raises Busy: a labeler that has not heard of sidecars yet may be at work on its photo.
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
            add_if_possible(record.image.owner, record.image.id, packet, services)
        else:
            unknown.append(key)
    wait = since + LABELER_SECONDS - services.now()
    if unknown and wait > 0:
        raise Busy(f"Being labelled, maybe: {unknown[0]!r}", retry_after=wait)


def packets_beside(key: str, services: Services) -> Iterator[bytes]:
    """The sidecars that lie beside a photo."""
    from chalicelib.intake.keywords import MOST_BYTES

    if parse_key(key):
        return
    folder, _, name = key.rpartition("/")
    stem = f"{folder}/{_stem(name)}"
    alike = (one for one, _ in islice(services.objects.listed(f"{stem}."), MOST_ALIKE))
    beside = (one for one in alike if is_sidecar(one) and one[:-SUFFIX] in (key, stem))
    for one in islice(beside, MOST_BESIDE):
        yield _content(one, MOST_BYTES, services)


def _photos_of(key: str, services: Services) -> Iterator[str]:
    """Photos in the bucket that a sidecar is of: the one whose whole name it bears, and those of its stem."""
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
    """What is in a sidecar; nothing where it has gone or is too large."""
    try:
        stored = services.objects.read(key, max_bytes=most)
    except NotFound:
        return b""
    if stored.content is None:
        log.info("too large for a sidecar: %r", key)
    return stored.content or b""
