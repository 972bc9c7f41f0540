"""Amazon Rekognition: labels, image properties, moderation and text of the object in the bucket."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws import Patience, TimeLeft, code_of, unhurried
from chalicelib.errors import Misconfigured, RecogniserRefused, SightlineError, Unavailable, UnusableImage
from chalicelib.model import Instance, Json, Label, Model, Photo, Recognition, RecognitionOptions
from chalicelib.recognition import choice, findings

logger = logging.getLogger("sightline.recognition.rekognition")

MOST_LABELS = 1000
# What DetectLabels calls those of our features that it gives.
_DETECT_LABELS = {"labels": "GENERAL_LABELS", "properties": "IMAGE_PROPERTIES"}
_GIVEN = frozenset({*_DETECT_LABELS, "moderation", "text"})
_VERSIONS = ("LabelModelVersion", "ModerationModelVersion", "TextModelVersion")
_Ask = Callable[..., Json]


class RekognitionRecogniser:
    """Recognises by ``client``, a boto3 Rekognition client that tries once and as long as ``patience`` knows.

    Where the photo is an object, Rekognition reads it itself, which allows 15 MB; else its bytes are sent. It
    is asked for all that it sees, and what was asked for is chosen here: its own filters refuse names
    that it does not know, and would hide what was left out from "why not?".
    """

    reads_bucket = True

    def __init__(self, client: Any, patience: Patience) -> None:
        self._client = client
        self._patience = patience

    def recognise(
        self, photo: Photo, options: RecognitionOptions, time_left: TimeLeft = unhurried
    ) -> Recognition:
        ask = functools.partial(self._ask, photo, time_left)
        labels = _labels_of(ask, options)
        moderation = _moderation_of(ask, options)
        text = ask("detect_text") if "text" in options.features else {}
        return choice.answer(
            map(_label, labels.get("Labels", ())),
            Model("rekognition", _version({**text, **moderation, **labels})),
            options,
            properties=findings.properties(labels),
            moderation=findings.moderation(moderation) if moderation else None,
            text=findings.text(text) if text else None,
            calls={f"rekognition:{feature}": 1 for feature in options.features if feature in _GIVEN},
        )

    @property
    def model(self) -> Model:
        """Rekognition says with which version it has answered, and not with which it will."""
        return Model("rekognition", "")

    def _ask(self, photo: Photo, time_left: TimeLeft, operation: str, **arguments: Any) -> Json:
        call = functools.partial(getattr(self._client, operation), Image=_where(photo), **arguments)
        try:
            return self._patience.call("Rekognition", call, time_left)
        except Misconfigured as error:
            logger.error("rekognition does not serve this deployment: %s", error.detail)
            raise
        except ClientError as error:
            raise _translated(error, photo) from error


def _labels_of(ask: _Ask, options: RecognitionOptions) -> Json:
    features = [_DETECT_LABELS[one] for one in options.features if one in _DETECT_LABELS]
    if not features:
        return {}
    # Rekognition takes bounds of labels only where it is asked for labels (API reference, DetectLabels).
    bounds = {"MinConfidence": choice.lowest(options), "MaxLabels": MOST_LABELS}
    return ask("detect_labels", Features=features, **(bounds if "labels" in options.features else {}))


def _moderation_of(ask: _Ask, options: RecognitionOptions) -> Json:
    if "moderation" not in options.features:
        return {}
    return ask("detect_moderation_labels", MinConfidence=options.min_confidence)


def _version(answer: Mapping[str, Any]) -> str:
    return next((str(answer[name]) for name in _VERSIONS if answer.get(name)), "unknown")


def _where(photo: Photo) -> Json:
    if photo.key is None:
        return {"Bytes": photo.content}
    return {"S3Object": {"Bucket": photo.bucket, "Name": photo.key}}


def _label(data: Mapping[str, Any]) -> Label:
    return Label(
        name=data["Name"],
        confidence=data["Confidence"],
        parents=_names(data, "Parents"),
        aliases=_names(data, "Aliases"),
        categories=_names(data, "Categories"),
        instances=tuple(map(_instance, data.get("Instances", ()))),
    )


def _names(data: Mapping[str, Any], member: str) -> tuple[str, ...]:
    return tuple(one["Name"] for one in data.get(member, ()))


def _instance(data: Mapping[str, Any]) -> Instance:
    colors = findings.snake_cased(data.get("DominantColors", []))
    return Instance(data["Confidence"], findings.box(data["BoundingBox"]), tuple(colors))


def _translated(error: ClientError, photo: Photo) -> SightlineError:
    """What an error answer means for the image (Rekognition's API reference, DetectLabels, Errors).

    Anything not listed there as the picture's or the call's own fault, above all a refused permission, is a
    fault of the deployment: trying again does not help at once, but failing the image would lose it for
    good. As :exc:`Unavailable` it goes through the queue's attempts to the dead letters and from there,
    once the permission is given, back.
    """
    code = code_of(error)
    if code in _REFUSED:
        return _REFUSED[code](photo)
    message = error.response.get("Error", {}).get("Message", "")
    logger.error("rekognition does not serve this deployment: code=%r message=%r", code, message)
    return Unavailable(f"Rekognition did not take the call: {code}: {message}")


def _wrong_format(photo: Photo) -> SightlineError:
    return UnusableImage(
        "Rekognition cannot read this image. Save it again as a plain JPEG or PNG, then send it.",
        code="unsupported-type",
    )


def _too_large(photo: Photo) -> SightlineError:
    return UnusableImage(
        f"The image has {len(photo.content):,} bytes and {photo.width:,} × {photo.height:,} pixels; "
        "Rekognition takes 15 MB and 10,000 pixels a side. Send a smaller version.",
        code="too-large",
    )


def _unreachable(photo: Photo) -> SightlineError:
    return RecogniserRefused(
        "Rekognition could not read the image from the bucket. "
        "The file may have been deleted meanwhile, or lie in another region.",
        code="object-unreadable",
    )


def _wrong_call(photo: Photo) -> SightlineError:
    return RecogniserRefused(
        f"Rekognition does not take this image of {photo.width:,} × {photo.height:,} pixels. "
        "It needs at least 80 pixels a side.",
        code="recogniser-refused",
    )


_REFUSED: Mapping[str, Callable[[Photo], SightlineError]] = {
    "InvalidImageFormatException": _wrong_format,
    "ImageTooLargeException": _too_large,
    "InvalidS3ObjectException": _unreachable,
    "InvalidParameterException": _wrong_call,
}
