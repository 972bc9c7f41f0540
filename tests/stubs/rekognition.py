"""A Rekognition: its three calls over HTTP in AWS's JSON protocol, by a script (:mod:`tests.stubs.scripted`).

What is not scripted gets ``stub.answer``, cut as the service cuts it, ``stub.moderation`` or ``stub.text``.
``stub.calls`` is what was asked, ``stub.operations`` of which operation.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from tests.stubs.scripted import Reply, ScriptedServer

CAT_AND_TABLE: dict[str, Any] = {
    "LabelModelVersion": "3.0",
    "OrientationCorrection": "ROTATE_0",
    "Labels": [
        {
            "Name": "Dining Table",
            "Confidence": 61.5,
            "Parents": [{"Name": "Furniture"}, {"Name": "Table"}],
            "Aliases": [],
            "Categories": [{"Name": "Home and Indoors"}],
            "Instances": [],
        },
        {
            "Name": "Cat",
            "Confidence": 98.25,
            "Parents": [{"Name": "Animal"}, {"Name": "Mammal"}, {"Name": "Pet"}],
            "Aliases": [{"Name": "Kitty"}],
            "Categories": [{"Name": "Animals and Pets"}],
            "Instances": [
                {
                    "Confidence": 97.5,
                    "BoundingBox": {"Left": 0.25, "Top": -0.125, "Width": 0.5, "Height": 1.25},
                    "DominantColors": [
                        {
                            "Red": 105,
                            "Green": 105,
                            "Blue": 105,
                            "HexCode": "#696969",
                            "CSSColor": "dimgrey",
                            "SimplifiedColor": "grey",
                            "PixelPercent": 39.5,
                        }
                    ],
                }
            ],
        },
        {"Name": "Animal", "Confidence": 98.5},
    ],
}


IMAGE_PROPERTIES: dict[str, Any] = {
    "Quality": {"Brightness": 72.5, "Sharpness": 80.5, "Contrast": 64.25},
    "DominantColors": [{"HexCode": "#a9a9a9", "CSSColor": "darkgrey", "PixelPercent": 51.123456}],
    "Foreground": {"Quality": {"Brightness": 70.0, "Sharpness": 79.0}, "DominantColors": []},
    "Background": {"Quality": {"Brightness": 75.0, "Sharpness": 60.0}, "DominantColors": []},
}
SMOKING: dict[str, Any] = {
    "ModerationModelVersion": "7.0",
    "ModerationLabels": [
        {"Name": "Smoking", "Confidence": 91.111, "ParentName": "Drugs & Tobacco", "TaxonomyLevel": 2},
        {"Name": "Drugs & Tobacco", "Confidence": 91.111, "ParentName": "", "TaxonomyLevel": 1},
    ],
    "ContentTypes": [{"Name": "Illustrated", "Confidence": 62.5}],
}
A_SIGN: dict[str, Any] = {
    "TextModelVersion": "3.0",
    "TextDetections": [
        {
            "DetectedText": "MIND THE CAT",
            "Type": "LINE",
            "Id": 0,
            "Confidence": 99.123,
            "Geometry": {
                "BoundingBox": {"Left": 0.1, "Top": 0.1, "Width": 0.5, "Height": 0.1},
                "Polygon": [{"X": 0.1, "Y": 0.1}, {"X": 0.6, "Y": 0.1}],
            },
        },
        {
            "DetectedText": "CAT",
            "Type": "WORD",
            "Id": 3,
            "ParentId": 0,
            "Confidence": 98.0,
            "Geometry": {"BoundingBox": {"Left": 0.5, "Top": 0.1, "Width": 0.1, "Height": 0.1}},
        },
    ],
}


def cut(answer: dict[str, Any], *, min_confidence: float, max_labels: int) -> dict[str, Any]:
    """What the service leaves of an answer: the most confident labels that are confident enough."""
    labels = [label for label in answer["Labels"] if label["Confidence"] >= min_confidence]
    most = sorted(labels, key=lambda label: -label["Confidence"])[:max_labels]
    return {**answer, "Labels": [label for label in labels if label in most]}


class RekognitionStub(ScriptedServer):
    def __init__(self) -> None:
        super().__init__()
        self.answer = CAT_AND_TABLE
        self.moderation = SMOKING
        self.text = A_SIGN
        self.operations: list[str] = []
        self.calls: list[dict[str, Any]] = []

    def fails(self, code: str, *, status: int = 400, message: str = "", times: int = 1) -> None:
        self.replies(reply(status, {"__type": code, "message": message}), times=times)

    def note(self, headers: Mapping[str, str], body: bytes) -> None:
        self.operations.append(headers["X-Amz-Target"].removeprefix("RekognitionService."))
        self.calls.append(json.loads(body))

    def usual(self, headers: Mapping[str, str], body: bytes) -> Reply:
        operation = headers["X-Amz-Target"].removeprefix("RekognitionService.")
        if operation not in self._answers:
            return reply(400, {"__type": "UnknownOperationException"})
        asked = json.loads(body)
        if "GENERAL_LABELS" not in asked.get("Features", ["GENERAL_LABELS"]) and "MinConfidence" in asked:
            return reply(400, {"__type": "InvalidParameterException"})  # bounds of labels nobody asked for
        return reply(200, self._answers[operation](asked))

    @property
    def _answers(self) -> dict[str, Callable[[dict[str, Any]], dict[str, Any]]]:
        return {
            "DetectLabels": self._labels,
            "DetectModerationLabels": lambda asked: self.moderation,
            "DetectText": lambda asked: self.text,
        }

    def _labels(self, asked: dict[str, Any]) -> dict[str, Any]:
        answer = {**self.answer, "Labels": []}
        if "GENERAL_LABELS" in asked["Features"]:
            answer = cut(self.answer, min_confidence=asked["MinConfidence"], max_labels=asked["MaxLabels"])
        if "IMAGE_PROPERTIES" in asked["Features"]:
            answer = {**answer, "ImageProperties": IMAGE_PROPERTIES}
        return answer


def reply(status: int, body: dict[str, Any]) -> Reply:
    """An answer in AWS's JSON protocol."""
    return Reply(status, json.dumps(body).encode(), {"Content-Type": "application/x-amz-json-1.1"})
