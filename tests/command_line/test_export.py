"""``sightline export --zip``, against a service that answers as scripted.

Holds `client/sightline_labels/export_commands.py`, `client/sightline_labels/output.py`.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sightline_labels.cli import main

from local.http_server import Server
from tests.command_line.service import ScriptedService

JOB = {
    "id": "1",
    "kind": "zip",
    "status": "done",
    "looked_at": 2,
    "changed": 2,
    "failed": 0,
    "failures": [],
    "complete": True,
    "missing": [],
}


def archive() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        file.writestr("a.jpg", b"one photo")
        file.writestr("b.jpg", b"another")
    return made.getvalue()


class Packing(ScriptedService):
    """A job that is done at the second look, and its archive."""

    asked: list[Any]
    looks: int
    job: dict[str, Any]
    content: bytes
    promised: int

    def do_POST(self) -> None:  # noqa: N802 - http.server's name
        type(self).asked.append(self._body())
        self._answer(202, {**self.job, "status": "running", "links": {}})

    def do_GET(self) -> None:  # noqa: N802 - http.server's name
        if self.path == "/archive":
            self.send_response(200)
            self.send_header("Content-Length", str(self.promised))
            self.end_headers()
            self.wfile.write(self.content)
            self.close_connection = True
            return
        type(self).looks += 1
        links = {"archive": f"http://{self.headers['Host']}/archive"} if self.content else {}
        self._answer(200, {**self.job, "status": "running" if self.looks < 2 else "done", "links": links})


@pytest.fixture
def packing() -> Iterator[str]:
    Packing.asked, Packing.looks, Packing.job, Packing.content = [], 0, JOB, archive()
    Packing.promised = len(Packing.content)
    with Server(0, Packing) as server:
        yield server.url


def test_the_archive_is_waited_for_fetched_and_checked(
    packing: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "photos.zip"
    assert main(["--url", packing, "export", "--zip", "-o", str(path), "cat"]) == 0
    assert path.read_bytes() == Packing.content
    assert f"2 photos are in {path}." in capsys.readouterr().out
    assert Packing.asked == [b'{"q": "cat"}']


def test_what_is_missing_from_it_is_named_and_is_no_success(
    packing: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Packing.job = {**JOB, "complete": False, "missing": ["01M8"]}
    assert main(["--url", packing, "export", "--zip", "-o", str(tmp_path / "a.zip")]) == 1
    assert "Missing, because its file is no longer in the bucket: 01M8" in capsys.readouterr().out
    Packing.job = {**JOB, "complete": False}
    assert main(["--url", packing, "export", "--zip", "-o", str(tmp_path / "a.zip")]) == 1
    assert "The ZIP file is full" in capsys.readouterr().out


@pytest.mark.parametrize("fault", ["broken off", "damaged inside", "no archive", "gone"])
def test_nothing_is_left_of_an_archive_that_does_not_come_whole(
    packing: str, tmp_path: Path, fault: str, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = archive()
    Packing.content, Packing.promised = {
        "broken off": (whole[:60], len(whole)),
        "damaged inside": (whole.replace(b"one photo", b"one phota"), len(whole)),
        "no archive": (b"<html>", 6),
        "gone": (b"", 0),
    }[fault]
    (tmp_path / "a.zip").write_bytes(b"an older one")
    assert main(["--url", packing, "export", "--zip", "-o", str(tmp_path / "a.zip")]) == 1
    assert [one.name for one in tmp_path.iterdir()] == ["a.zip"]
    assert (tmp_path / "a.zip").read_bytes() == b"an older one"
    assert capsys.readouterr().err


def test_where_it_cannot_go_nothing_is_packed(packing: str, tmp_path: Path) -> None:
    for words in ([], ["-o", str(tmp_path / "no" / "a.zip")], ["-o", "a.zip", "--excel"]):
        assert main(["--url", packing, "export", "--zip", *words]) == 1
    assert Packing.asked == []
