"""A recogniser is asked once for the same bytes and the same question; everyone else gets what it said."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from chalicelib.aws import TimeLeft
from chalicelib.errors import RecogniserRefused, SightlineError
from chalicelib.ids import derived_id
from chalicelib.intake.objects import StoredObject
from chalicelib.library.recognitions import Cached, Lease, Question
from chalicelib.library.record import Record
from chalicelib.model import Image, Photo, Recognition, RecognitionOptions
from chalicelib.pipeline import budget, measuring
from chalicelib.wiring import Services


@dataclass(frozen=True)
class Seen:
    """What was seen on an image: a ``recognition``, first made for ``image_id``.

    ``name`` is that of the cached one (empty if it is not cached), ``calls`` what this result has to answer
    for.
    """

    recognition: Recognition
    image_id: str
    name: str
    calls: Mapping[str, int] = field(default_factory=dict)


def recognise(
    photo: Photo, stored: StoredObject, image: Image, record: Record, services: Services, time_left: TimeLeft
) -> Seen:
    """What is on ``image``. A cached recognition serves, unless the image is to be recognised again and only
    asking tells by which model.

    :raises Busy: another image with the same bytes is being recognised.
    """
    model = services.recogniser.model
    options = record.image.options(services.settings.recognition)
    asked = json.dumps(options.to_json(), sort_keys=True)
    question = Question(image.owner, image.sha256 or "", derived_id(model.name, model.version, asked))
    again = record.relabel is not None and not model.version
    not_before = record.relabel.at if again and record.relabel else 0.0
    found = services.recognitions.find_or_lease(question, not_before=not_before)
    if isinstance(found, Lease):
        return _asked(found, photo, stored, options, image, services, time_left)
    # It may have been made for this very result, by a worker that died before it could store it.
    own = (found.image_id, found.result) == (image.id, image.result + 1)
    return Seen(found.recognition, found.image_id, question.name, found.recognition.calls if own else {})


def _asked(
    lease: Lease,
    photo: Photo,
    stored: StoredObject,
    options: RecognitionOptions,
    image: Image,
    services: Services,
    time_left: TimeLeft,
) -> Seen:
    """Ask the recogniser under a lease, and cache what it says."""
    calls: Mapping[str, int] = {}
    try:
        budget.reserve(image.owner, services)
        try:
            with measuring.recogniser_time(services):
                recognition = services.recogniser.recognise(photo, options, time_left)
            calls = recognition.calls
        except RecogniserRefused as error:
            calls = error.calls
            raise
        finally:
            budget.settle(image.owner, calls, services)
        # A recogniser that reads the bucket itself may have been shown what came there meanwhile.
        reads = photo.key is not None and services.recogniser.reads_bucket
        unchanged = not reads or services.objects.etag(image.key) == stored.etag
    except SightlineError:
        services.recognitions.give_back(lease)
        raise
    if not unchanged:
        services.recognitions.give_back(lease)
        return Seen(recognition, image.id, "", calls)
    services.recognitions.keep(lease, Cached(recognition, options, image.id, image.result + 1))
    return Seen(recognition, image.id, lease.question.name, calls)
