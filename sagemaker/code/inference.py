"""The endpoint's handler: an image in, a score for each class out, by any classifier in ONNX.

SageMaker's PyTorch containers call these four functions ("Deploy PyTorch models", SageMaker Python SDK); so
does the local server. What the network wants and gives is told by ``model.json`` beside it, which the
packaging script writes and describes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy
import onnxruntime
from PIL import Image

try:
    from sagemaker_inference.errors import BaseInferenceToolkitError
except ImportError:  # outside of the container

    class BaseInferenceToolkitError(Exception):  # type: ignore[no-redef]
        """What the container's toolkit turns into an HTTP answer."""

        def __init__(self, status_code: int, message: str, phrase: str) -> None:
            super().__init__(status_code, message, phrase)
            self.status_code, self.message, self.phrase = status_code, message, phrase


TAKEN = ("image/jpeg", "image/png")


class Refused(BaseInferenceToolkitError):  # type: ignore[misc]  # untyped in the container
    """The request is at fault, and would be the next time."""

    def __init__(self, status_code: int, why: str) -> None:
        super().__init__(status_code, why, why)


@dataclass(frozen=True)
class Classifier:
    """A loaded network and what ``model.json`` says of it."""

    session: Any
    spec: dict[str, Any]


def model_fn(model_dir: str, context: object = None) -> Classifier:
    """The classifier in ``model_dir``: ``model.onnx`` and ``model.json``."""
    folder = Path(model_dir)
    spec = json.loads((folder / "model.json").read_text("utf-8"))
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    return Classifier(session, spec)


def input_fn(body: bytes, content_type: str, context: object = None) -> Image.Image:
    """The picture in RGB. Raises :exc:`Refused` with 415 or 400."""
    if content_type not in TAKEN:
        raise Refused(415, f"{content_type} is not taken here; {' and '.join(TAKEN)} are.")
    try:
        image: Image.Image = Image.open(BytesIO(body), formats=("JPEG", "PNG"))
        with image:
            return image.convert("RGB")
    except (OSError, SyntaxError, ValueError) as error:
        raise Refused(400, f"The image cannot be read: {error}.") from error


def predict_fn(image: Image.Image, model: Classifier, context: object = None) -> dict[str, Any]:
    """What the recogniser is answered: ``model``, ``classes``, ``scores``."""
    spec = model.spec
    (output,) = model.session.run([spec["output"]], {spec["input"]: _pixels(image, spec)})
    scores = _softmax(output[0]) if spec["softmax"] else output[0]
    return {
        "model": spec["model"],
        "classes": spec["classes"],
        "scores": [round(min(1.0, max(0.0, float(one))), 6) for one in scores],
    }


def output_fn(prediction: dict[str, Any], accept: str, context: object = None) -> str:
    """JSON, whatever was asked for."""
    return json.dumps(prediction)


def _pixels(image: Image.Image, spec: dict[str, Any]) -> Any:
    """A batch of one: the middle of the picture, in the layout and scale that the network learnt from."""
    side = min(image.size) * spec["middle"]
    left, top = (image.width - side) / 2, (image.height - side) / 2
    size = (spec["size"], spec["size"])
    middle = image.resize(size, Image.Resampling.BICUBIC, box=(left, top, left + side, top + side))
    pixels = numpy.asarray(middle)
    if spec["normalise"]:
        mean, deviation = (numpy.float32(spec["normalise"][name]) for name in ("mean", "std"))
        pixels = (pixels.astype(numpy.float32) / numpy.float32(255) - mean) / deviation
    if spec["layout"] == "NCHW":
        pixels = pixels.transpose(2, 0, 1)
    return pixels[numpy.newaxis]


def _softmax(logits: Any) -> Any:
    powers = numpy.exp(logits - logits.max())
    return powers / powers.sum()
