"""How much memory each function has needed at most, in a process that lives on: the stage as it is deployed.

An image's way, some photos and one of 24 megapixels. ``.chalice/config.json`` gives each function at least
three times of it; what is more buys processor time, which Lambda sells by memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from PIL import Image

from benchmarks.deployed import PHOTO, DeployedStage, place
from benchmarks.figures import Figure, Progress
from local.config import stage_config

PHOTOS = 6
LARGE = (6000, 4000)
NOT_MET = {"on_upload_message", "on_job_message"}  # on this way: the first does what on_s3_upload does
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


def figures(say: Progress) -> Iterator[Figure]:
    """A row for each function."""
    say("memory: a stage is deployed")
    with place() as here:
        _journey(here, say)
        for name in sorted(here.stage.functions.keys() - NOT_MET):
            function = here.stage.functions[name]
            said = Path(f"/proc/{function.pid}/status").read_text()
            peak = int(_PEAK.findall(said)[0]) / 1000
            given = int(stage_config(name, stage="dev").lambda_memory_size or 128)
            yield Figure(f"peak memory of {name}", peak, "MB", detail=f"{given} MB are given to it")


def _journey(here: DeployedStage, say: Progress) -> None:
    stage = here.stage
    for number in range(PHOTOS):
        say(f"memory: photo {number + 1} of {PHOTOS}")
        content = _large() if number == PHOTOS - 1 else PHOTO + str(number).encode()
        image_id = stage.upload(f"{number}.jpg", content)
        stage.notify(f"uploads/~default/{image_id}")
        stage.hear()
        stage.drain("DeliveriesQueue", "on_sqs_message")
        stage.request("GET", f"/images/{image_id}")
    stage.request("GET", "/images", limit="50")
    stage.tick()


def _large() -> bytes:
    with Image.open(BytesIO(PHOTO)) as small, BytesIO() as stream:
        small.resize(LARGE).save(stream, "JPEG", quality=90)
        return stream.getvalue()
