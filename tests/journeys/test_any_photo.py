"""A folder with a photo of each kind goes through ``make label``, as anybody's own folder would.

Every variant of each kind goes through the labeler in tests/pipeline/test_any_photo.py, which is faster.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
import requests
from PIL import Image
from sightline_labels import Client
from sightline_labels.files import Picked
from sightline_labels.uploads import Outcome, Uploading

from tests.intake.corpus import BAD, GOOD
from tests.journeys.conftest import Service

pytestmark = pytest.mark.slow
PHOTOS = (
    *("cmyk.jpg", "sideways.jpg", "see-through.png", "heavy.png", "tiny.png", "animated.webp"),
    *("plain.gif", "plain.bmp", "lzw.tif", "plain.heic", "plain.avif"),
)
OTHERS = ("empty.jpg", "text.jpg", "drawing.svg", "bomb.png", "cut.heic", "hollow.png")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("photos")
    for name in PHOTOS:
        (made / name).write_bytes(GOOD[name]())
    for name in OTHERS:
        (made / name).write_bytes(BAD[name][1]())
    return made


def labelled(service: Service, folder: Path) -> dict[str, Outcome]:
    picked = [Picked(path, path.name) for path in sorted(folder.iterdir())]
    return {one.name: one for one in Uploading(Client(service.api), picked)}


def test_every_file_ends_labelled_or_failed_with_the_right_code(service: Service, folder: Path) -> None:
    outcomes = labelled(service, folder)
    problems = {name: one.problem.partition(":")[0] for name, one in outcomes.items()}
    assert problems == {**dict.fromkeys(PHOTOS, ""), **{name: BAD[name][0] for name in OTHERS}}
    for name in PHOTOS:
        thumbnail = requests.get(outcomes[name].image["links"]["thumbnail"], timeout=30)
        assert thumbnail.headers["Content-Type"] == "image/jpeg"
        with Image.open(BytesIO(thumbnail.content)) as small:
            assert max(small.size) <= 512
    for name in OTHERS:
        answer = requests.get(outcomes[name].image["links"]["thumbnail"], timeout=30)
        assert (answer.status_code, answer.json()["code"]) == (404, "no-thumbnail")
