from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.http_server import Server
from tests.command_line.service import CAT_PHOTO, OTHER_CAT, ScriptedService


@pytest.fixture
def service() -> Iterator[str]:
    ScriptedService.uploaded, ScriptedService.tokens = {}, set()
    ScriptedService.hold = threading.Event()
    ScriptedService.known = set()
    with Server(0, ScriptedService) as server:
        yield server.url
        ScriptedService.hold.set()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "b.jpg").write_bytes(CAT_PHOTO)
    (tmp_path / "deep" / "er" / "a.PNG").write_bytes(OTHER_CAT)
    (tmp_path / "notes.txt").write_text("no photo")
    (tmp_path / "movie.jpg").write_bytes(b"\0\0\0\x18ftypisom")
    (tmp_path / ".DS_Store").write_text("a desktop's")
    return tmp_path
