"""Recognises an image through the recognition cache, within the owner's daily budget of calls.

The recogniser is called once for the same bytes, model and options; other images get the cached recognition.

Each call is reserved from the budget (calls in a UTC day) before it is made. All reservations of a day are
one counter in the table, so that concurrent workers keep within the limit too.
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
class RecognitionResult:
    """A ``recognition`` of an image, first made for the image ``image_id``.

    ``name`` is its name in the cache, empty if it is not cached. ``calls`` counts the recogniser calls that
    this image's usage is charged for.
    """

    recognition: Recognition
    image_id: str
    name: str
    calls: Mapping[str, int] = field(default_factory=dict)


def recognise(
    photo: Photo, stored: StoredObject, image: Image, record: Record, services: Services, time_left: TimeLeft
) -> RecognitionResult:
    """Recognise ``image``, from the cache if possible.

    For a relabel, a recognition that was cached before the request is used only if the model has a version:
    without one, only a new call tells whether the model has changed.

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
        return _recognise_and_cache(found, photo, stored, options, image, services, time_left)
    # A worker that died before it stored this result may have cached it: its calls are this image's.
    own = (found.image_id, found.result) == (image.id, image.result + 1)
    return RecognitionResult(
        found.recognition, found.image_id, question.name, found.recognition.calls if own else {}
    )


def _recognise_and_cache(
    lease: Lease,
    photo: Photo,
    stored: StoredObject,
    options: RecognitionOptions,
    image: Image,
    services: Services,
    time_left: TimeLeft,
) -> RecognitionResult:
    """Call the recogniser under a lease, and cache its recognition."""
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
        # A recogniser that reads the bucket itself may have read an object that replaced this one.
        reads = photo.key is not None and services.recogniser.reads_bucket
        unchanged = not reads or services.objects.etag(image.key) == stored.etag
    except SightlineError:
        services.recognition_cache.give_back(lease)
        raise
    if not unchanged:
        services.recognition_cache.give_back(lease)
        return RecognitionResult(recognition, image.id, "", calls)
    services.recognition_cache.keep(
        lease, CachedRecognition(recognition, options, image.id, image.result + 1)
    )
    return RecognitionResult(recognition, image.id, lease.question.name, calls)


def _reserve_call(owner: str, services: Services) -> None:
    """Reserve one call from today's budget; does nothing without a limit.

    :raises RecogniserRefused: the budget is used up.
    """
    limit = services.settings.daily_calls
    if limit and services.table.count(_budget_key(owner, services), expires_at=_expiry(services)) > limit:
        _add(owner, -1, services)
        raise RecogniserRefused(
            f"Today's {limit} calls of the recogniser are used up; have it labelled again tomorrow.",
            code="budget-used-up",
        )


def _settle_calls(owner: str, calls: Mapping[str, int], services: Services) -> None:
    """Replace a reservation by the number of calls that were made: 0 if the recogniser did not answer."""
    if services.settings.daily_calls:
        _add(owner, calls_in(calls) - 1, services)


def today(services: Services) -> str:
    """The current UTC day, as YYYY-MM-DD."""
    return rfc3339(services.now())[:10]


def _add(owner: str, calls: int, services: Services) -> None:
    if calls:
        services.table.write(Update(_budget_key(owner, services), add={"used": calls}))


def _budget_key(owner: str, services: Services) -> Key:
    return Key(f"{owner}#budget", today(services))


def _expiry(services: Services) -> int:
    day = datetime.datetime.fromisoformat(today(services)).replace(tzinfo=datetime.UTC)
    return int(day.timestamp()) + BUDGET_KEPT_SECONDS
