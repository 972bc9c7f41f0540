"""EfficientNet-Lite0: how much the picture as a whole looks like each of ImageNet's 1000 classes."""

from __future__ import annotations

from PIL import Image

from chalicelib.recognition.network import Network

_SIDE = 224
# The network learnt from the middle of pictures: 224 of 256 pixels.
_MIDDLE = 224 / 256


def classify(network: Network, picture: Image.Image) -> list[float]:
    """The probability (0–1) of each class, the mean of the picture and its mirror image.

    Both show the same things, and the network, quantised to 8 bits, answers them up to a tenth apart. Its
    probabilities come in steps of 1/255; what is lost below that is not made up for, so they add up to 1
    or less.
    """
    import numpy

    pixels = numpy.asarray(middle(picture))
    (probabilities,) = network.run(["prob"], numpy.stack([pixels, pixels[:, ::-1]]))
    mean: list[float] = probabilities.mean(axis=0).tolist()
    return mean


def middle(picture: Image.Image) -> Image.Image:
    """The centre square at the network's size."""
    side = max(1, round(min(picture.size) * _MIDDLE))
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    box = (left, top, left + side, top + side)
    return picture.resize((_SIDE, _SIDE), Image.Resampling.BICUBIC, box=box)
