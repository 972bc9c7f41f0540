"""``python -m tests.intake.warm FILE …``: label files one after another in one process, as a warm function.

AWS's clients are made and the embedded networks loaded before. It says for each file how it ended and the
most memory that the process has had since the one before.
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
from pathlib import Path

import boto3

from chalicelib.errors import UnusableImage
from chalicelib.intake.photos import prepare
from chalicelib.model import Photo, RecognitionOptions
from chalicelib.recognition.onnx import OnnxRecogniser
from tests.intake.measure import peak

ROOT = Path(__file__).parents[2]
OPTIONS = RecognitionOptions(min_confidence=55, max_labels=50)
ANY = {"region_name": "eu-west-1", "aws_access_key_id": "x", "aws_secret_access_key": "x"}


def main(paths: list[Path]) -> None:
    clients = [boto3.client(name, **ANY) for name in ("s3", "sns", "sqs", "dynamodb", "rekognition")]
    recogniser = OnnxRecogniser(ROOT / "models")
    told = []
    for path in [ROOT / "photos" / "chelsea.jpg", *paths]:
        with contextlib.suppress(OSError):  # where that is refused, it is that of all files so far
            Path("/proc/self/clear_refs").write_text("5")  # the highest memory is measured anew (proc(5))
        started = time.process_time()
        outcome = labelled(path.read_bytes(), recogniser)
        told.append(
            {"name": path.name, "code": outcome, "mib": peak(), "seconds": time.process_time() - started}
        )
    print(json.dumps({"files": told, "clients": len(clients)}))


def labelled(content: bytes, recogniser: OnnxRecogniser) -> str:
    try:
        made = prepare(content, max_bytes=50_000_000, max_pixels=200_000_000)
    except UnusableImage as error:
        return error.code
    shown = made.converted or made.plain or content
    kind = "image/jpeg" if made.converted else made.content_type
    recogniser.recognise(Photo(shown, kind, made.width, made.height, "bucket", None), OPTIONS)
    return "labelled"


if __name__ == "__main__":
    main([Path(one) for one in sys.argv[1:]])
