"""Amazon Rekognition: labels, image properties, moderation and text of the object in the bucket.

What it says besides labels is kept in this project's case and bounded, so that it fits into a record.
"""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws import Patience, TimeLeft, code_of, unhurried
from chalicelib.errors import Misconfigured, RecogniserRefused, SightlineError, Unavailable, UnusableImage
from chalicelib.model import Box, Instance, Json, Label, Model, Photo, Recognition, RecognitionOptions
from chalicelib.recognition.recogniser import lowest_confidence, recognition_of

logger = logging.getLogger("sightline.recognition.rekognition")

MOST_LABELS = 1000
MOST_COLORS = 12  # of an image or of one instance
MOST_WORDS = 200  # lines and words; DetectText itself finds up to 100 words
MOST_MODERATION_LABELS = 100
# Where a name in camel case has an underscore in snake case.
_WORD_ENDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
# What DetectLabels calls those of our features that it gives.
_DETECT_LABELS = {"labels": "GENERAL_LABELS", "properties": "IMAGE_PROPERTIES"}
_GIVEN = frozenset({*_DETECT_LABELS, "moderation", "text"})
_VERSIONS = ("LabelModelVersion", "ModerationModelVersion", "TextModelVersion")


class RekognitionRecogniser:
    """Asks Rekognition through ``client``, a boto3 client that tries once; ``patience`` tries again.

    Where the photo is an object in S3, Rekognition reads it itself, up to 15 MB; else its bytes are sent.
    Rekognition is asked for everything that it sees, and filters are applied here: its own filters refuse
    names that it does not know, and would hide from "why not?" what they left out.
    """

    reads_bucket = True

    def __init__(self, client: Any, patience: Patience) -> None:
        self._client = client
        self._patience = patience

    def recognise(
        self, photo: Photo, options: RecognitionOptions, time_left: TimeLeft = unhurried
    ) -> Recognition:
        ask = functools.partial(self._ask, photo, time_left)
        labels: Json = {}
        moderation: Json = {}
        text: Json = {}
        features = [_DETECT_LABELS[one] for one in options.features if one in _DETECT_LABELS]
        if features:
            # It takes bounds of labels only where it is asked for labels (API reference, DetectLabels).
            bounds = {"MinConfidence": lowest_confidence(options), "MaxLabels": MOST_LABELS}
            only = bounds if "labels" in options.features else {}
            labels = ask("detect_labels", Features=features, **only)
        if "moderation" in options.features:
            moderation = ask("detect_moderation_labels", MinConfidence=options.min_confidence)
        if "text" in options.features:
            text = ask("detect_text")
        versions = (one.get(name) for name in _VERSIONS for one in (labels, moderation, text))
        return recognition_of(
            map(_label, labels.get("Labels", ())),
            Model("rekognition", next((str(one) for one in versions if one), "unknown")),
            options,
            # Quality and dominant colours of the picture, of its foreground and of its background.
            properties=_snake_cased(labels.get("ImageProperties")),
            moderation=_moderation(moderation) if moderation else None,
            text=_text(text) if text else None,
            calls={f"rekognition:{feature}": 1 for feature in options.features if feature in _GIVEN},
        )

    @property
    def model(self) -> Model:
        """Rekognition tells its version only in an answer."""
        return Model("rekognition", "")

    def _ask(self, photo: Photo, time_left: TimeLeft, operation: str, **arguments: Any) -> Json:
        stored = {"S3Object": {"Bucket": photo.bucket, "Name": photo.key}}
        image = {"Bytes": photo.content} if photo.key is None else stored
        call = functools.partial(getattr(self._client, operation), Image=image, **arguments)
        try:
            return self._patience.call("Rekognition", call, time_left)
        except Misconfigured as error:
            logger.error("rekognition does not serve this deployment: %s", error.detail)
            raise
        except ClientError as error:
            raise _translated(error, photo) from error


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
    colors = _snake_cased(data.get("DominantColors", []))
    return Instance(data["Confidence"], _box(data["BoundingBox"]), tuple(colors))


def _moderation(answer: Mapping[str, Any]) -> Json:
    """What DetectModerationLabels found: labels with their parents, and what kind of picture it is."""
    labels = answer.get("ModerationLabels", ())[:MOST_MODERATION_LABELS]
    return {
        "model_version": answer.get("ModerationModelVersion") or "unknown",
        "labels": [
            {
                "name": one["Name"],
                "confidence": round(one["Confidence"], 2),
                "parent": one.get("ParentName") or None,
                "taxonomy_level": one.get("TaxonomyLevel"),
            }
            for one in labels
        ],
        "content_types": _snake_cased(answer.get("ContentTypes", [])),
    }


def _text(answer: Mapping[str, Any]) -> Json:
    """What DetectText read: lines and their words; a word's ``parent_id`` is its line."""
    detections = answer.get("TextDetections", ())[:MOST_WORDS]
    return {
        "model_version": answer.get("TextModelVersion") or "unknown",
        "detections": [
            {
                "id": one.get("Id"),
                "parent_id": one.get("ParentId"),
                "type": one["Type"].lower(),
                "text": one["DetectedText"],
                "confidence": round(one["Confidence"], 2),
                "box": _box(one["Geometry"]["BoundingBox"]).to_json(),
                "polygon": _snake_cased(one["Geometry"].get("Polygon", [])),
            }
            for one in detections
        ],
    }


def _box(data: Mapping[str, float]) -> Box:
    """A ``BoundingBox``, cut where it reaches beyond the picture."""
    left, top = data["Left"], data["Top"]
    return Box.between(left, top, left + data["Width"], top + data["Height"])


def _snake_cased(value: Any) -> Any:
    """The value with names in snake case (``css_color``), fractions rounded and lists of colours bounded."""
    if isinstance(value, Mapping):
        return {_WORD_ENDS.sub("_", name).lower(): _snake_cased(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_snake_cased(one) for one in value[:MOST_COLORS]]
    return round(value, 5) if isinstance(value, float) else value


def _translated(error: ClientError, photo: Photo) -> SightlineError:
    """What an error answer means for the image (Rekognition's API reference, DetectLabels, Errors).

    Any code that does not blame the picture or the call, above all a refused permission, is a fault of the
    deployment. Trying again at once does not help, but failing the image would lose it for good. As
    :exc:`Unavailable` it goes through the queue's attempts to the dead letters and, once the permission is
    given, back from there.
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
