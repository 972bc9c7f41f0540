"""EfficientDet-Lite0: finds things of COCO's 80 kinds, with a box for each."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from PIL import Image

from chalicelib.model import Box, Instance
from chalicelib.recognition.coco import NAMES
from chalicelib.recognition.hierarchy import title
from chalicelib.recognition.network import Network

_SIZE = (320, 320)
# Below this score more than one in eight is something else (measured on 50 photos of COCO's validation set).
_LEAST_SCORE = 0.4
_MOST_LENGTH = 2.0  # how much longer than wide a picture may be that the network sees at once
_WINDOW_LENGTH = 1.5
_MOST_WINDOWS = 12  # each takes as long as a picture
_SAME = 0.6


def detect(network: Network, picture: Image.Image) -> Mapping[str, Sequence[Instance]]:
    """The instances of each name in Title Case, by falling confidence (0–100).

    The network takes squares. A picture that is more than twice as long as wide is given to it in windows, so
    that nothing is squeezed beyond recognition. Boxes are fractions of the whole picture.
    """
    found: defaultdict[str, list[Instance]] = defaultdict(list)
    windows = _windows(*picture.size)
    for window in windows:
        for name, instance in _seen(network, picture, window):
            found[name].append(instance)
    if len(windows) == 1:  # the network itself has removed repeats
        return {name: sorted(ones, key=_falling) for name, ones in found.items()}
    return {name: _without_repeats(instances) for name, instances in found.items()}


def _windows(width: int, height: int) -> list[tuple[int, int, int, int]]:
    """Windows that overlap by half and together cover the picture."""
    long, short = max(width, height), min(width, height)
    if long <= _MOST_LENGTH * short:
        return [(0, 0, width, height)]
    number = min(_MOST_WINDOWS, math.ceil(2 * long / (_WINDOW_LENGTH * short)) - 1)
    length = round(2 * long / (number + 1))
    starts = [round(step * (long - length) / (number - 1)) for step in range(number)]
    if width > height:
        return [(start, 0, start + length, height) for start in starts]
    return [(0, start, width, start + length) for start in starts]


def _seen(
    network: Network, picture: Image.Image, window: tuple[int, int, int, int]
) -> Iterator[tuple[str, Instance]]:
    """The sure enough instances in a window, with boxes as fractions of the whole picture."""
    import numpy

    part = picture.resize(_SIZE, Image.Resampling.BILINEAR, box=window)
    boxes, classes, scores = network.run(["boxes", "classes", "scores"], numpy.asarray(part)[numpy.newaxis])
    across, down = (window[2] - window[0]) / picture.width, (window[3] - window[1]) / picture.height
    at_left, at_top = window[0] / picture.width, window[1] / picture.height
    for (top, left, bottom, right), number, score in zip(
        boxes[0].tolist(), classes[0].tolist(), scores[0].tolist(), strict=True
    ):
        if score >= _LEAST_SCORE and int(number) in NAMES:
            box = Box.between(
                at_left + _clamped(left) * across,
                at_top + _clamped(top) * down,
                at_left + _clamped(right) * across,
                at_top + _clamped(bottom) * down,
            )
            yield title(NAMES[int(number)]), Instance(min(100.0, 100 * score), box)


def _falling(instance: Instance) -> float:
    return -instance.confidence


def _clamped(edge: float) -> float:
    return min(1.0, max(0.0, edge))


def _without_repeats(instances: list[Instance]) -> list[Instance]:
    """By falling confidence; what two windows show, whole or cut, comes once."""
    kept: list[Instance] = []
    for one in sorted(instances, key=_falling):
        if all(_common(one.box, other.box) < _SAME for other in kept):
            kept.append(one)
    return kept


def _common(one: Box, other: Box) -> float:
    """The part of the smaller box that lies in the other."""
    width = min(one.left + one.width, other.left + other.width) - max(one.left, other.left)
    height = min(one.top + one.height, other.top + other.height) - max(one.top, other.top)
    smaller = min(one.width * one.height, other.width * other.height)
    return max(0.0, width) * max(0.0, height) / smaller if smaller > 0 else 0.0
