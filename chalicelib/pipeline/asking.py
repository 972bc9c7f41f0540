"""A recogniser is asked, once for the same bytes and the same question; everyone else gets what it said."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable

from chalicelib.aws import TimeLeft
from chalicelib.errors import SightlineError
from chalicelib.ids import derived_id
from chalicelib.intake.objects import StoredObject
from chalicelib.library.answers import Answer, Question, Turn
from chalicelib.library.record import Record
from chalicelib.model import Image, Model, Photo, Recognition, RecognitionOptions
from chalicelib.pipeline import counting, measuring
from chalicelib.wiring import Services


def answer_for(
    photo: Photo, stored: StoredObject, record: Record, services: Services, time_left: TimeLeft
) -> tuple[Answer, str]:
    """The answer for an image, and the name under which it is kept (empty if it is not).

    A kept one serves unless the image is to be recognised again and only asking tells by which model.

    :raises Busy: another image with the same bytes is being recognised.
    """
    model = services.recogniser.model
    options = record.image.options(services.settings.recognition)
    question = _question(stored.content or b"", options, record.image.owner, model)
    again = record.relabel is not None and not model.version
    not_before = record.relabel.at if again and record.relabel else 0.0
    found = services.answers.find_or_ask(question, not_before=not_before)
    if isinstance(found, Answer):
        return found, question.name
    recognise = functools.partial(services.recogniser.recognise, photo, options, time_left)
    return _asked(found, recognise, stored, options, record.image, services)


def _question(content: bytes, options: RecognitionOptions, owner: str, model: Model) -> Question:
    asked = json.dumps(options.to_json(), sort_keys=True)
    digest = hashlib.sha256(content).hexdigest()
    return Question(owner, digest, derived_id(model.name, model.version, asked))


def _asked(
    turn: Turn,
    recognise: Callable[[], Recognition],
    stored: StoredObject,
    options: RecognitionOptions,
    image: Image,
    services: Services,
) -> tuple[Answer, str]:
    try:
        counting.check_budget(image.owner, services)
        with measuring.recogniser_time(services):
            answer = Answer(recognise(), options, image.id)
        # A recogniser that reads the bucket itself may have been shown what came there meanwhile.
        unchanged = services.objects.etag(image.key) == stored.etag
    except SightlineError:
        services.answers.give_back(turn)
        raise
    calls = counting.calls_for(image, answer.recognition.calls, services)
    if not unchanged:
        services.answers.give_back(turn, calls)
        return answer, ""
    services.answers.keep(turn, answer, calls)
    return answer, turn.question.name
