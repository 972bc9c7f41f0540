"""A Rekognition on the loopback address: its three calls over HTTP in AWS's JSON protocol, by a script.

``with RekognitionStub() as stub`` serves at ``stub.url``. Calls first use up what was scripted with
:meth:`RekognitionStub.fails`, :meth:`~RekognitionStub.hangs` and :meth:`~RekognitionStub.hangs_up`, one
each; after that they get ``stub.answer``, cut as the service cuts it, ``stub.moderation`` or ``stub.text``.
``stub.calls`` is what was asked, ``stub.operations`` of which operation.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

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


class RekognitionStub:
    def __init__(self) -> None:
        self.answer = CAT_AND_TABLE
        self.moderation = SMOKING
        self.text = A_SIGN
        self.operations: list[str] = []
        self.calls: list[dict[str, Any]] = []
        self._script: deque[Callable[[_Call], None]] = deque()
        self._stopping = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def fails(self, code: str, *, status: int = 400, message: str = "", times: int = 1) -> None:
        body = {"__type": code, "message": message}
        self._script.extend([lambda call: call.reply(status, body)] * times)

    def hangs(self) -> None:
        """The next call gets no answer for as long as the stub lives."""
        self._script.append(lambda call: self._stopping.wait() and None)

    def hangs_up(self) -> None:
        """The next call's connection is closed without an answer."""
        self._script.append(lambda call: None)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def act(self, call: _Call, operation: str, asked: dict[str, Any]) -> None:
        self.calls.append(asked)
        self.operations.append(operation)
        if self._script:
            self._script.popleft()(call)
        elif operation in self._answers:
            call.reply(200, self._answers[operation](asked))
        else:
            call.reply(400, {"__type": "UnknownOperationException"})

    @property
    def _answers(self) -> dict[str, Callable[[dict[str, Any]], dict[str, Any]]]:
        return {
            "DetectLabels": self._labels,
            "DetectModerationLabels": lambda asked: self.moderation,
            "DetectText": lambda asked: self.text,
        }

    def _labels(self, asked: dict[str, Any]) -> dict[str, Any]:
        answer = cut(self.answer, min_confidence=asked["MinConfidence"], max_labels=asked["MaxLabels"])
        if "GENERAL_LABELS" not in asked["Features"]:
            answer = {**answer, "Labels": []}
        if "IMAGE_PROPERTIES" in asked["Features"]:
            answer = {**answer, "ImageProperties": IMAGE_PROPERTIES}
        return answer

    def _handler(self) -> type[_Call]:
        return type("Call", (_Call,), {"stub": self})


class _Call(BaseHTTPRequestHandler):
    stub: RekognitionStub

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.stub.act(self, self.headers["X-Amz-Target"].removeprefix("RekognitionService."), asked)

    def reply(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """The tests' output is no place for an access log."""
