"""What docs/deploy.md tells whoever has deployed to do leads to a labelled photo, where a token is wanted."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.config import ROOT
from tests.local.process import Process, started, token_for

pytestmark = pytest.mark.slow


@pytest.fixture
def service() -> Iterator[Process]:
    with started("--auth", "token") as process:
        yield process


def test_a_photo_is_announced_sent_and_labelled(service: Process, tmp_path: Path) -> None:
    document = (ROOT / "docs" / "deploy.md").read_text()
    [example] = re.findall(r"<!-- executed -->\n```\n(.*?)```", document, re.S)
    known = {"ADDRESS": f"http://127.0.0.1:{service.ports[0]}/", "TOKEN": token_for(service, "read,write")}

    (tmp_path / "photos").symlink_to(ROOT / "photos")
    done = subprocess.run(  # noqa: S603 - our own
        ["/bin/sh", "-eu", "-c", example],
        cwd=tmp_path,
        env={**known, "PATH": "/usr/local/bin:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.returncode == 0, done.stderr
    image = json.loads(done.stdout)
    assert image["status"] == "labelled"
    assert "Cat" in [label["name"] for label in image["labels"]]
