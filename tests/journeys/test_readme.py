"""The README's examples are executed as they stand, and the output it shows is the output there is."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.journeys.conftest import Service, eventually

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
EXAMPLES = re.findall(r"<!-- executed -->\n```sh\n(.*?)```", README, re.S)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.splitlines()[0][:40])
def test_an_example_works_as_it_stands(service: Service, example: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "photos", tmp_path / "photos")
    script = example.replace("http://127.0.0.1:8000", service.api)
    done = subprocess.run(
        ["/bin/sh", "-eu"], input=script, cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    last = done.stdout
    assert '"problem' not in last
    assert '"cat"' in last.lower() or '"cat.jpg"' in last


def test_the_first_example_ends_with_a_labelled_cat(service: Service, tmp_path: Path) -> None:
    test_an_example_works_as_it_stands(service, EXAMPLES[0], tmp_path)
    newest = eventually(lambda: service.get("/images", label="cat", limit=1)["images"])
    assert newest[0]["filename"] == "cat.jpg"


def test_what_it_shows_of_make_run_is_what_make_run_prints(service: Service) -> None:
    shown = re.search(r"<!-- run -->\n```\n(.*?)```", README, re.S)
    assert shown
    for line in shown[1].splitlines():
        photo = re.match(r"\s+(\S+\.jpg)\s+\d+\s+(.*)", line)
        if photo:
            assert re.search(rf"{photo[1]}\s+\d+\s+{re.escape(photo[2])}", service.output), line
