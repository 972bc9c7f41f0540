"""Labelling files of one's own, against a service that answers as scripted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from local.label import main, pick
from local.server import Server

CAT = {"name": "Cat", "confidence": 91.6, "parents": ["Feline", "Animal"]}
LABELS = [{"name": "Animal", "confidence": 95.0, "parents": []}, CAT]


class ScriptedService(BaseHTTPRequestHandler):
    """Labels what holds ``cat``, fails what holds anything else, refuses empty file names."""

    protocol_version = "HTTP/1.1"
    uploaded: dict[str, bytes]

    def do_POST(self) -> None:
        name = json.loads(self._body())["filename"]
        if "refused" in name:
            self._answer(
                400, {"code": "bad-request", "detail": "Not with that name."}, "application/problem+json"
            )
            return
        host = self.headers["Host"]
        self._answer(201, {"id": name.replace("/", "_"), "upload": {"url": f"http://{host}/up/{name}"}})

    def do_PUT(self) -> None:
        self.uploaded[self.path.removeprefix("/up/").replace("/", "_")] = self._body()
        self._answer(200, {})

    def do_GET(self) -> None:
        if self.path == "/health":
            self._answer(200, {})
        elif self.uploaded[self.path.split("?")[0].rpartition("/")[2]] == b"cat":
            self._answer(200, {"status": "labelled", "labels": LABELS, "error": None})
        else:
            error = {"code": "unusable-image", "detail": "This is no image."}
            self._answer(200, {"status": "failed", "labels": [], "error": error})

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"]))

    def _answer(self, status: int, body: Any, media_type: str = "application/json") -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def service() -> Iterator[str]:
    ScriptedService.uploaded = {}
    with Server(0, ScriptedService) as server:
        yield server.url


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    for name in ("b.jpg", "deep/er/a.PNG"):
        (tmp_path / name).write_bytes(b"cat")
    (tmp_path / "notes.txt").write_text("no photo")
    return tmp_path


def test_photos_in_folders_are_found_however_deep(folder: Path) -> None:
    assert [one.name for one in pick([folder])] == ["b.jpg", "deep/er/a.PNG"]


def test_a_file_that_is_named_is_taken_whatever_it_is_called(folder: Path) -> None:
    assert [one.name for one in pick([folder / "notes.txt"])] == ["notes.txt"]


def test_everything_labelled_is_shown_with_its_most_telling_label(
    service: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--url", service, str(folder)]) == 0

    shown = capsys.readouterr().out
    assert "b.jpg" in shown
    assert shown.count("Cat 92 (Feline, Animal)") == 2
    assert "Animal 95" not in shown


def test_a_photo_that_fails_is_shown_with_its_reason_and_fails_the_run(
    service: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "broken.jpg").write_bytes(b"nonsense")

    assert main(["--url", service, str(folder)]) == 1

    shown = capsys.readouterr().out
    assert "unusable-image: This is no image." in shown
    assert shown.count("Cat 92") == 2


def test_a_photo_that_the_service_turns_down_does_not_hold_up_the_others(
    service: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "refused.jpg").write_bytes(b"cat")

    assert main(["--url", service, str(folder)]) == 1

    shown = capsys.readouterr().out
    assert "bad-request: Not with that name." in shown
    assert shown.count("Cat 92") == 2


def test_a_file_that_is_not_there_is_named(
    service: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--url", service, str(tmp_path / "gone.jpg")]) == 1

    assert "No such file" in capsys.readouterr().out


def test_without_files_the_command_to_type_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 1

    assert 'make label FILES="' in capsys.readouterr().err


def test_a_folder_without_photos_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 1

    assert f"There are no photos in {tmp_path}." in capsys.readouterr().err


def test_where_nothing_runs_the_way_to_start_it_is_shown(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Server(0, ScriptedService) as server:
        gone = server.url

    assert main(["--url", gone, str(folder)]) == 1

    assert f"Nothing answers at {gone}. Start the service with make run" in capsys.readouterr().err
