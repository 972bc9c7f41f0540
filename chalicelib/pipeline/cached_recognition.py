"""A recogniser is asked once for the same bytes and the same question; everyone else gets what it said.

Each call is reserved from the owner's budget of calls a day (UTC) before it is made. The reservations of a
day are one counter, so that workers who ask at the same moment keep within the limit too.
"""

from __future__ import annotations

import datetime
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from chalicelib.aws import TimeLeft
from chalicelib.errors import RecogniserRefused, SightlineError
from chalicelib.expressions import Key, Update
from chalicelib.ids import derived_id, rfc3339
from chalicelib.intake.objects import StoredObject
from chalicelib.library.recognition_cache import CachedRecognition, Lease, Question
from chalicelib.library.record import Record
from chalicelib.metrics import RECOGNISER_TIME
from chalicelib.model import Image, Photo, Recognition, RecognitionOptions, calls_in
from chalicelib.wiring import Services

BUDGET_KEPT_SECONDS = 3 * 24 * 3600


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
    found = services.recognition_cache.find_or_lease(question, not_before=not_before)
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
        _reserve_call(image.owner, services)
        began = time.monotonic()
        try:
            recognition = services.recogniser.recognise(photo, options, time_left)
            calls = recognition.calls
        except RecogniserRefused as error:
            calls = error.calls
            raise
        finally:
            took = round((time.monotonic() - began) * 1000)
            services.metrics.put(RECOGNISER_TIME, took, by=services.settings.recogniser)
            _settle_calls(image.owner, calls, services)
        # A recogniser that reads the bucket itself may have been shown what came there meanwhile.
        reads = photo.key is not None and services.recogniser.reads_bucket
        unchanged = not reads or services.objects.etag(image.key) == stored.etag
    except SightlineError:
        services.recognition_cache.give_back(lease)
        raise
    if not unchanged:
        services.recognition_cache.give_back(lease)
        return Seen(recognition, image.id, "", calls)
    services.recognition_cache.keep(
        lease, CachedRecognition(recognition, options, image.id, image.result + 1)
    )
    return Seen(recognition, image.id, lease.question.name, calls)


def _reserve_call(owner: str, services: Services) -> None:
    """Reserve one call of today's; does nothing where there is no limit.

    :raises RecogniserRefused: they are used up.
    """
    most = services.settings.daily_calls
    if most and services.table.count(_today(owner, services), expires_at=_end(services)) > most:
        _add(owner, -1, services)
        raise RecogniserRefused(
            f"Today's {most} calls of the recogniser are used up; have it labelled again tomorrow.",
            code="budget-used-up",
        )


def _settle_calls(owner: str, calls: Mapping[str, int], services: Services) -> None:
    """Let a reservation stand for as many calls as were made, none where the recogniser did not answer."""
    if services.settings.daily_calls:
        _add(owner, calls_in(calls) - 1, services)


def today(services: Services) -> str:
    """The day (UTC) that calls count for."""
    return rfc3339(services.now())[:10]


def _add(owner: str, calls: int, services: Services) -> None:
    if calls:
        services.table.write(Update(_today(owner, services), add={"used": calls}))


def _today(owner: str, services: Services) -> Key:
    return Key(f"{owner}#budget", today(services))


def _end(services: Services) -> int:
    day = datetime.datetime.fromisoformat(today(services)).replace(tzinfo=datetime.UTC)
    return int(day.timestamp()) + BUDGET_KEPT_SECONDS
