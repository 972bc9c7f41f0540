"""The embedded recogniser: two networks and a tree of names in this process, free for each image."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from PIL import Image

from chalicelib.aws import TimeLeft, unhurried
from chalicelib.model import Model, Photo, Recognition, RecognitionOptions
from chalicelib.recognition.detector import detect
from chalicelib.recognition.hierarchy import Hierarchy
from chalicelib.recognition.network import Network, required
from chalicelib.recognition.recogniser import lowest_confidence, recognition_of
from chalicelib.recognition.scaling import decoded

_SIDE = 224  # pixels: what the classifier, EfficientNet-Lite0, looks at
_MIDDLE = 224 / 256  # of a picture: the classifier learnt from the middle of pictures


class OnnxRecogniser:
    """Recognises with the networks in ``models_dir``, which are loaded for the first photo.

    One per process is enough: threads may share it. A label's confidence is the higher one of the
    classifier's, for the whole picture, and of the best instance that the detector found; boxes belong to the
    detected name only, not to its general terms. Raises :exc:`~chalicelib.errors.BadSetting` where a file of
    ``models_dir`` or onnxruntime is missing.
    """

    reads_bucket = False

    def __init__(self, models_dir: str | Path) -> None:
        folder = Path(models_dir)
        self._classifier = Network(folder / "efficientnet_lite0_int8.onnx")
        self._detector = Network(folder / "efficientdet_lite0.onnx")
        self._names = folder / "imagenet_hierarchy.json"

    def recognise(
        self, photo: Photo, options: RecognitionOptions, time_left: TimeLeft = unhurried
    ) -> Recognition:
        picture = decoded(photo)
        confidences = self._hierarchy.confidences(classify(self._classifier, picture))
        instances = detect(self._detector, picture)
        seen = self._hierarchy.labels(confidences, instances, least=lowest_confidence(options))
        return recognition_of(seen, self.model, options, calls={"onnx": 1})

    @cached_property
    def _hierarchy(self) -> Hierarchy:
        return Hierarchy.load(required(self._names))

    @cached_property
    def model(self) -> Model:
        """The networks and their fingerprints."""
        networks = (self._classifier, self._detector)
        return Model(
            name="+".join(network.path.stem for network in networks),
            version="+".join(network.fingerprint() for network in networks),
        )


def classify(network: Network, picture: Image.Image) -> list[float]:
    """The probability (0–1) of each of ImageNet's 1000 classes for the whole picture.

    It is the mean of the picture and its mirror image. Both show the same things, and the network, quantised
    to 8 bits, answers them up to a tenth apart. Its probabilities come in steps of 1/255; what is lost below
    that is not made up for, so they add up to 1 or less.
    """
    import numpy

    side = max(1, round(min(picture.size) * _MIDDLE))
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    centre = (left, top, left + side, top + side)
    pixels = numpy.asarray(picture.resize((_SIDE, _SIDE), Image.Resampling.BICUBIC, box=centre))
    (probabilities,) = network.run(["prob"], numpy.stack([pixels, pixels[:, ::-1]]))
    mean: list[float] = probabilities.mean(axis=0).tolist()
    return mean
