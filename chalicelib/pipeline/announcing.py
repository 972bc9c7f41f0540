"""A result is made known: by the sidecar, and by an event on the topic."""

from __future__ import annotations

from chalicelib.delivery.events import ImageFinished
from chalicelib.errors import Superseded
from chalicelib.library.record import Record
from chalicelib.model import Image
from chalicelib.wiring import Services

SIDECAR_TRIES = 5


def announce(record: Record, services: Services) -> None:
    """Write the sidecar, publish the result, remember that both are done."""
    record = _under_present_names(record, services)
    image = record.image
    services.objects.write_sidecar(image.key, image.document())
    finished = ImageFinished.of(image)
    services.topic.publish(finished.message(), finished.attributes())
    try:
        services.images.mark_announced(record)
    except Superseded:
        _let_sidecar_follow(record, services)


def tidy_after_deletion(image: Image, services: Services) -> None:
    """What was written for an image while somebody deleted it goes as well."""
    if services.images.find(image.owner, image.id) is None:
        services.objects.delete_derived(image.key)


def _under_present_names(record: Record, services: Services) -> Record:
    """The record, with labels renamed that have got other names since the labeler looked.

    :raises Superseded: the record has changed since it was read.
    """
    rules = services.renames.rules(record.image.owner)
    renamed = record.told(rules.labels(record.seen), rules.corrections(record.image.corrections))
    return record if renamed == record else services.images.change(record, renamed, None)


def _let_sidecar_follow(written: Record, services: Services) -> None:
    """Whoever writes a sidecar late may have overwritten a newer one: write what is true by now."""
    image = written.image
    for _ in range(SIDECAR_TRIES):
        current = services.images.find(image.owner, image.id)
        if current is None:
            return services.objects.delete_derived(image.key)
        if current.revision == written.revision or not current.image.final:
            return None
        services.objects.write_sidecar(image.key, current.image.document())
        written = current
    return None
