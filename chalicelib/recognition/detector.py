"""EfficientDet-Lite0: where in the picture COCO's 80 kinds of things are, one box each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from PIL import Image

from chalicelib.model import Instance
from chalicelib.recognition.boxes import within_picture
from chalicelib.recognition.coco import NAMES
from chalicelib.recognition.hierarchy import title
from chalicelib.recognition.network import Network

_SIZE = (320, 320)
# Below this score more than one in eight is something else (measured on 50 photos of COCO's validation set).
_LEAST_SCORE = 0.4


def detect(network: Network, picture: Image.Image) -> Mapping[str, Sequence[Instance]]:
    """The instances of each name in Title Case, by falling confidence (0–100)."""
    import numpy

    pixels = numpy.asarray(picture.resize(_SIZE, Image.Resampling.BILINEAR))[numpy.newaxis]
    boxes, classes, scores = network.run(["boxes", "classes", "scores"], pixels)
    found: defaultdict[str, list[Instance]] = defaultdict(list)
    for (top, left, bottom, right), number, score in sorted(
        zip(boxes[0].tolist(), classes[0].tolist(), scores[0].tolist(), strict=True), key=lambda one: -one[2]
    ):
        if score >= _LEAST_SCORE and int(number) in NAMES:
            box = within_picture(left, top, right, bottom)
            found[title(NAMES[int(number)])].append(Instance(min(100.0, 100 * score), box))
    return found
