"""A Rekognition that sees what an album says is there, with a temper of its own."""

from __future__ import annotations

import base64
import dataclasses
import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from tests.stubs.rekognition import RekognitionStub, reply
from tests.stubs.scripted import Reply
from torture.album import PARENTS, Album, Scene, digest
from torture.invocation import Trace
from torture.plan import in_turn

HANG, HANG_UP = "no answer", "it hangs up"
# Every error of DetectLabels that is not the image's own fault (Rekognition's API reference), and 5xx.
PASSING = {
    "ProvisionedThroughputExceededException": 400,
    "ThrottlingException": 400,
    "AccessDeniedException": 400,
    "InternalServerError": 500,
    "ServiceUnavailableException": 503,
}
MODEL = "3.0"
SHOWN = "x-shown"  # an answer's header: the digest of the photo that was looked at


class Seer(RekognitionStub):
    """Answers by the ``album``; ``read`` gives the object under a key, or None.

    One in ``gap`` calls, about, meets its temper: every passing error, silence and a closed connection in
    turn, by the seed and the number of the call; ``tempers`` counts that. ``said`` counts what it was asked
    and has said, ``heard`` is what of that was heard: each the photo's digest.
    """

    def __init__(self, seed: int, gap: int, album: Album, read: Callable[[str], bytes | None]) -> None:
        super().__init__()
        self._album = album
        self._read = read
        chance = random.Random(f"{seed}:seer")  # noqa: S311 - no secret
        self._coming = in_turn(chance, [[one] for one in (*PASSING, HANG, HANG_UP)], gap)
        self._lock = threading.Lock()
        self._healed = False
        self.said = 0
        self.heard: list[Trace] = []
        self.tempers: Counter[str] = Counter()

    def heal(self) -> None:
        """Answer every call from now on."""
        self._healed = True

    def note_heard(self, shown: str) -> None:
        """What was said of a photo has reached the one who asked."""
        self.heard.append(Trace(shown))

    def answered(self, headers: Mapping[str, str], body: bytes) -> Reply | None:
        """What Rekognition answers; None where it does not."""
        with self._lock:
            temper = None if self._healed else next(self._coming)
            if temper:
                self.tempers[temper] += 1
            if temper in (HANG, HANG_UP):
                return None
            if temper:
                return _error(temper, PASSING[temper])
            return self._seen(json.loads(body))

    def _seen(self, asked: dict[str, Any]) -> Reply:
        content = self._content(asked["Image"])
        if content is None:
            return _error("InvalidS3ObjectException", 400)
        self.said += 1
        said = self._said(self._album.scene(content))
        return dataclasses.replace(said, headers={**said.headers, SHOWN: digest(content)})

    def _said(self, scene: Scene) -> Reply:
        if scene.refused_as:
            return _error(scene.refused_as, 400)
        return reply(200, {"LabelModelVersion": MODEL, "Labels": _labels(scene)})

    def _content(self, image: dict[str, Any]) -> bytes | None:
        if "S3Object" in image:
            return self._read(image["S3Object"]["Name"])
        return base64.b64decode(image["Bytes"])


def _labels(scene: Scene) -> list[dict[str, Any]]:
    return [
        {"Name": name, "Confidence": confidence, "Parents": [{"Name": one} for one in PARENTS[name]]}
        for name, confidence in scene.labels.items()
    ]


def _error(code: str, status: int) -> Reply:
    return reply(status, {"__type": code, "message": code})
