"""What the detector's class numbers mean.

The numbers are COCO's 91 category ids less one; eleven of them were never used. The names are those of
the label hierarchy, so that a detected "couch" is the classifier's "sofa".
"""

from __future__ import annotations

from collections.abc import Mapping

_PEOPLE_AND_TRAFFIC = {
    0: "person",
    1: "bicycle",
    2: "car",
    3: "motorcycle",
    4: "airplane",
    5: "bus",
    6: "train",
    7: "truck",
    8: "boat",
    9: "traffic light",
    10: "fire hydrant",
    12: "stop sign",
    13: "parking meter",
    14: "bench",
}
_ANIMALS = {
    15: "bird",
    16: "cat",
    17: "dog",
    18: "horse",
    19: "sheep",
    20: "cow",
    21: "elephant",
    22: "bear",
    23: "zebra",
    24: "giraffe",
}
_CARRIED_AND_PLAYED_WITH = {
    26: "backpack",
    27: "umbrella",
    30: "handbag",
    31: "necktie",
    32: "suitcase",
    33: "frisbee",
    34: "ski",
    35: "snowboard",
    36: "ball",
    37: "kite",
    38: "baseball bat",
    39: "baseball glove",
    40: "skateboard",
    41: "surfboard",
    42: "tennis racket",
}
_EATEN_AND_DRUNK = {
    43: "bottle",
    45: "wine glass",
    46: "cup",
    47: "fork",
    48: "knife",
    49: "spoon",
    50: "bowl",
    51: "banana",
    52: "apple",
    53: "sandwich",
    54: "orange",
    55: "broccoli",
    56: "carrot",
    57: "hot dog",
    58: "pizza",
    59: "donut",
    60: "cake",
}
_AT_HOME = {
    61: "chair",
    62: "sofa",
    63: "potted plant",
    64: "bed",
    66: "dining table",
    69: "toilet",
    71: "television",
    72: "laptop",
    73: "computer mouse",
    74: "remote control",
    75: "computer keyboard",
    76: "mobile phone",
    77: "microwave",
    78: "oven",
    79: "toaster",
    80: "sink",
    81: "refrigerator",
    83: "book",
    84: "clock",
    85: "vase",
    86: "scissors",
    87: "teddy bear",
    88: "hair dryer",
    89: "toothbrush",
}

NAMES: Mapping[int, str] = {
    **_PEOPLE_AND_TRAFFIC,
    **_ANIMALS,
    **_CARRIED_AND_PLAYED_WITH,
    **_EATEN_AND_DRUNK,
    **_AT_HOME,
}
