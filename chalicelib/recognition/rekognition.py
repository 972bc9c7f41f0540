"""Amazon Rekognition's DetectLabels, on the object in the bucket."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws import code_of, faults_told_apart
from chalicelib.errors import RecogniserRefused, SightlineError, Unavailable, UnusableImage
from chalicelib.model import Instance, Json, Label, Model, Photo, Recognition, RecognitionOptions
from chalicelib.recognition.boxes import within_picture

logger = logging.getLogger("sightline.recognition.rekognition")

_BUSY = frozenset({"InternalServerError", "LimitExceededException"})
_TAKEN_APART = frozenset({"Labels", "LabelModelVersion", "ResponseMetadata"})


class RekognitionRecogniser:
    """Recognises by ``client``, a boto3 Rekognition client whose timeouts and attempts its maker has chosen.

    The photo's bytes are not sent: Rekognition reads the object itself, which allows 15 MB instead of 5.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def recognise(self, photo: Photo, options: RecognitionOptions) -> Recognition:
        answer = self._answer(photo, options)
        labels = sorted(map(_label, answer["Labels"]), key=lambda label: -label.confidence)
        return Recognition(
            tuple(labels),
            Model("rekognition", answer.get("LabelModelVersion") or "unknown"),
            extra={name: value for name, value in answer.items() if name not in _TAKEN_APART},
        )

    def _answer(self, photo: Photo, options: RecognitionOptions) -> Json:
        try:
            with faults_told_apart("Rekognition"):
                answer: Json = self._client.detect_labels(
                    Image={"S3Object": {"Bucket": photo.bucket, "Name": photo.key}},
                    MinConfidence=options.min_confidence,
                    MaxLabels=options.max_labels,
                )
        except ClientError as error:
            raise _translated(error, photo) from error
        return answer


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
    box = data["BoundingBox"]
    left, top = box["Left"], box["Top"]
    return Instance(data["Confidence"], within_picture(left, top, left + box["Width"], top + box["Height"]))


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
    if code not in _BUSY:
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
