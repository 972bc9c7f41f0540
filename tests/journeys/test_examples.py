"""Each program in examples/ does what its first lines say."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from chalicelib.delivery import signatures
from local.config import ROOT
from tests.journeys.conftest import Service

pytestmark = pytest.mark.slow
EXAMPLES = ROOT / "examples"
SECRET = signatures.secret_of(bytes(range(32)))
EVENT = {
    "type": "sightline.image.labelled",
    "data": {"id": "01JD3Y7V4M8B5WZ0QX6T2K9RCA", "filename": "cat.jpg", "labels": [{"name": "Cat"}]},
}


@contextmanager
def receiving(*command: str) -> Iterator[tuple[Any, str]]:
    """A receiver as a process, and its address."""
    ran = subprocess.Popen(  # noqa: S603 - our own
        [*command, "0"],
        env={**os.environ, "WEBHOOK_SECRET": SECRET},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert ran.stdout
        yield ran, ran.stdout.readline().split()[-1]
    finally:
        ran.terminate()
        ran.communicate()


@pytest.mark.parametrize("program", ["receiver.py", "receiver.mjs"])
def test_a_receiver_takes_what_is_signed_once_and_nothing_else(program: str) -> None:
    run = sys.executable if program.endswith(".py") else shutil.which("node")
    if not run:
        pytest.skip("Node is not installed")
    body = json.dumps(EVENT).encode()
    with receiving(run, str(EXAMPLES / program)) as (ran, address):

        def send(secret: str, webhook_id: str, at: int) -> int:
            signed = signatures.sign([secret], webhook_id, at, body)
            return requests.post(address, data=body, headers=signed, timeout=30).status_code

        now = int(time.time())
        assert send(signatures.secret_of(b"o" * 32), "forged", now) == 401
        assert send(SECRET, "replayed", now - 3600) == 401
        assert [send(SECRET, "first", now), send(SECRET, "first", now), send(SECRET, "second", now)] == [
            204
        ] * 3
        asked = requests.options(address, headers={"WebHook-Request-Origin": "sightline.example"}, timeout=30)
        assert asked.headers["WebHook-Allowed-Origin"] == "sightline.example"
        told = [ran.stdout.readline() for _ in range(2)]
        assert told == ["sightline.image.labelled cat.jpg: Cat\n"] * 2


def ran(program: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own
        [sys.executable, str(EXAMPLES / program), *words], capture_output=True, text=True, check=False
    )


def test_a_sites_photos_get_tags_and_alternative_texts(service: Service, tmp_path: Path) -> None:
    for name in ("chelsea.jpg", "coffee.jpg"):
        shutil.copy(ROOT / "photos" / name, tmp_path)
    (tmp_path / "coffee.jpg.json").write_text('{"alt": "My coffee"}')
    (tmp_path / "torn.png").write_bytes(b"no photo")
    first = ran("cms_hook.py", str(tmp_path), service.api)
    assert first.returncode == 1
    assert "torn.png" in first.stderr
    cat = json.loads((tmp_path / "chelsea.jpg.json").read_text())
    assert "Cat" in cat["tags"]
    assert cat["alt"]
    assert json.loads((tmp_path / "coffee.jpg.json").read_text())["alt"] == "My coffee"
    (tmp_path / "torn.png").unlink()
    again = ran("cms_hook.py", str(tmp_path), service.api)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")


def test_photos_are_sorted_by_label(service: Service, tmp_path: Path) -> None:
    done = ran("sort_by_label.py", str(ROOT / "photos"), str(tmp_path), "Cat", f"--url={service.api}")
    assert (done.returncode, done.stdout) == (0, "Cat: 1 photos\n"), done.stderr
    assert [one.name for one in (tmp_path / "Cat").iterdir()] == ["chelsea.jpg"]
