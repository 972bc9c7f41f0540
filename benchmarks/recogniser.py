"""The embedded recogniser on one core, from a photo's bytes to its labels, beside its bare networks.

The peer decodes the same photos with Pillow, gives both networks the pictures that they want and takes what
they answer: two sessions of onnxruntime and nothing else. A process of its own measures both in turn.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

from benchmarks.figures import Figure, Progress
from local.config import ROOT

ROUNDS = 15
LEAST = 0.9
OPTIONS = (50, 50)  # least confidence, most labels


def figures(say: Progress) -> Iterator[Figure]:
    """One row."""
    say("recogniser: both in turn on one core")
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks.recogniser"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    ours, bare = json.loads(ran.stdout)
    yield Figure(
        "embedded recogniser on one core, images a second",
        bare / ours,
        "×",
        beside="bare onnxruntime sessions and decoding",
        least=LEAST,
        detail=f"{1 / ours:.1f} a second beside {1 / bare:.1f}",
    )


def photos() -> list[bytes]:
    """The sample photos."""
    return [path.read_bytes() for path in sorted((ROOT / "photos").glob("*.jpg"))]


def recognised() -> Callable[[bytes], Any]:
    """Our recogniser, ready."""
    from chalicelib.model import Photo, RecognitionOptions
    from chalicelib.recognition.onnx import OnnxRecogniser

    recogniser, options = OnnxRecogniser(ROOT / "models"), RecognitionOptions(*OPTIONS)
    return lambda content: recogniser.recognise(Photo(content, "image/jpeg", 1, 1, "", ""), options)


def _bare() -> Callable[[bytes], Any]:
    import numpy
    import onnxruntime
    from PIL import Image

    chosen = onnxruntime.SessionOptions()
    chosen.intra_op_num_threads = 1
    classifier, detector = (
        onnxruntime.InferenceSession(str(ROOT / "models" / name), chosen, ["CPUExecutionProvider"])
        for name in ("efficientnet_lite0_int8.onnx", "efficientdet_lite0.onnx")
    )

    def run(content: bytes) -> Any:
        picture = Image.open(BytesIO(content)).convert("RGB")
        side = round(min(picture.size) * 0.875)
        left, top = (picture.width - side) // 2, (picture.height - side) // 2
        middle = picture.resize(
            (224, 224), Image.Resampling.BICUBIC, box=(left, top, left + side, top + side)
        )
        pixels = numpy.asarray(middle)
        probabilities = classifier.run(["prob"], {"image": numpy.stack([pixels, pixels[:, ::-1]])})
        whole = numpy.asarray(picture.resize((320, 320), Image.Resampling.BILINEAR))[None]
        return probabilities, detector.run(["boxes", "classes", "scores"], {"image": whole})

    return run


def main() -> None:
    """Write the seconds of the processor that each takes for a photo, ours first."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    contents, kinds = photos(), (recognised(), _bare())
    taken: list[list[float]] = []
    for _ in range(ROUNDS + 1):
        round_ = []
        for kind in kinds:
            began = time.process_time()
            for content in contents:
                kind(content)
            round_.append((time.process_time() - began) / len(contents))
        taken.append(round_)
    sys.stdout.write(json.dumps([statistics.median(one) for one in zip(*taken[1:], strict=True)]))


if __name__ == "__main__":
    main()
