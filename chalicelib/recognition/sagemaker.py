"""A SageMaker endpoint that classifies images: bytes in, a score for each class of its list out.

The endpoint answers JSON (``sagemaker/README.md`` has the whole contract)::

    {"model": {"name": "mobilenet_v3_large", "version": "5c1a4163"},
     "classes": "imagenet-1k",
     "scores": [0.0001, …]}

``scores`` are 0–1, one for each class. ``classes`` is the list of their names; or the word ``imagenet-1k``
for the 1000 classes of ImageNet in their usual order, which stand in a hierarchy of general terms. A listed
name that this hierarchy knows has its general terms, too.
"""

from __future__ import annotations

import functools
import json
import logging
from functools import cached_property
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws import Patience, TimeLeft, code_of, unhurried
from chalicelib.errors import RecogniserRefused, SightlineError, Unavailable
from chalicelib.model import Json, Model, Photo, Recognition, RecognitionOptions
from chalicelib.recognition.hierarchy import Hierarchy
from chalicelib.recognition.network import required
from chalicelib.recognition.recogniser import recognition_of
from chalicelib.recognition.scaling import fitted

logger = logging.getLogger("sightline.recognition.sagemaker")

# "Invoke Serverless Endpoints", SageMaker developer guide: 4 MB; other endpoints take more.
MOST_BYTES_SENT = 4_000_000
MOST_BYTES_BACK = 4_000_000
IMAGENET = "imagenet-1k"
# What a model answers to an image that it will never take; its other statuses speak of itself.
_VERDICTS = frozenset({400, 413, 415, 422})


class SageMakerRecogniser:
    """Asks ``endpoint`` through ``client``, a boto3 sagemaker-runtime client that tries once.

    ``models_dir`` holds ``imagenet_hierarchy.json``; the networks beside it are not needed.
    """

    reads_bucket = False

    def __init__(self, client: Any, endpoint: str, models_dir: str | Path, patience: Patience) -> None:
        self._client = client
        self._endpoint = endpoint
        self._names = Path(models_dir) / "imagenet_hierarchy.json"
        self._patience = patience

    def recognise(
        self, photo: Photo, options: RecognitionOptions, time_left: TimeLeft = unhurried
    ) -> Recognition:
        ask = functools.partial(self._invoked, *fitted(photo, MOST_BYTES_SENT))
        try:
            text = self._patience.call("SageMaker", ask, time_left)
        except ClientError as error:
            raise _translated(error) from error
        answer = _understood(text)
        hierarchy = self._hierarchy_of(answer["classes"])
        seen = hierarchy.labels(hierarchy.confidences(answer["scores"]), {})
        return recognition_of(seen, Model(**answer["model"]), options, calls={"sagemaker": 1})

    @property
    def model(self) -> Model:
        """Another model can be deployed behind the endpoint at any time; only its answers tell which."""
        return Model(f"sagemaker:{self._endpoint}", "")

    def _invoked(self, content: bytes, content_type: str) -> bytes:
        answer = self._client.invoke_endpoint(
            EndpointName=self._endpoint, ContentType=content_type, Accept="application/json", Body=content
        )
        text: bytes = answer["Body"].read(MOST_BYTES_BACK)
        return text

    def _hierarchy_of(self, classes: str | tuple[str, ...]) -> Hierarchy:
        return self._imagenet if isinstance(classes, str) else self._imagenet.over(classes)

    @cached_property
    def _imagenet(self) -> Hierarchy:
        return Hierarchy.load(required(self._names))


def _understood(text: bytes) -> Json:
    """The answer, checked against the contract; a breach is a fault of the deployment."""
    try:
        data = json.loads(text)
        model = {"name": str(data["model"]["name"]), "version": str(data["model"]["version"])}
        scores = [_score(one) for one in data["scores"]]
        classes = data["classes"] if data["classes"] == IMAGENET else tuple(map(_name, data["classes"]))
        if len(scores) != (1000 if isinstance(classes, str) else len(classes)):
            raise ValueError(f"{len(scores)} scores for another number of classes")
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        logger.error("the endpoint breaks the contract: %r", error)
        raise Unavailable(f"The endpoint's answer is not understood: {error!r}.") from error
    return {"model": model, "scores": scores, "classes": classes}


def _score(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError(f"{value!r} is no score")
    return float(value)


def _name(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{value!r} is no name of a class")
    return value


def _translated(error: ClientError) -> SightlineError:
    """What an error answer means for the image (SageMaker's API reference, InvokeEndpoint, Errors).

    A model may refuse the image for good. Anything else, from a missing endpoint to a model that breaks, is a
    fault of the deployment, which must lose no image: see :mod:`chalicelib.recognition.rekognition`.
    """
    code = code_of(error)
    message = error.response.get("Error", {}).get("Message", "")
    if code == "ModelError" and error.response.get("OriginalStatusCode") in _VERDICTS:
        said = error.response.get("OriginalMessage", "")
        return RecogniserRefused(
            f"The endpoint's model refused the image: {said[:200]}", code="endpoint-refused"
        )
    logger.error("sagemaker does not serve this deployment: code=%r message=%r", code, message)
    return Unavailable(f"SageMaker did not take the call: {code}: {message}")
