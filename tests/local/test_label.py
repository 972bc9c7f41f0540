"""Labelling files of one's own, against a service that answers as scripted."""

from __future__ import annotations

import hashlib
import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from local.config import ROOT
from local.folder import Folder, Running
from local.label import main, pick, words
from local.server import Server

CAT_PHOTO = b"\xff\xd8\xff cat"
CAT = {"name": "Cat", "confidence": 91.6, "parents": ["Feline", "Animal"]}
LABELS = [{"name": "Animal", "confidence": 95.0, "parents": []}, CAT]


class ScriptedService(BaseHTTPRequestHandler):
    """Labels what holds ``cat``, fails what holds anything else, refuses empty file names."""

    protocol_version = "HTTP/1.1"
    uploaded: dict[str, bytes]
    tokens: set[str]
    hold: threading.Event
    known: set[str]

    def do_POST(self) -> None:
        asked = json.loads(self._body())
        name = asked["filename"]
        if "refused" in name:
            self._answer(
                400, {"code": "bad-request", "detail": "Not with that name."}, "application/problem+json"
            )
            return
        if asked.get("sha256") in self.known:
            self._answer(200, {"id": "known", "status": "labelled", "labels": LABELS, "error": None})
            return
        host = self.headers["Host"]
        self._answer(201, {"id": name.replace("/", "_"), "upload": {"url": f"http://{host}/up/{name}"}})

    def do_PUT(self) -> None:
        self.uploaded[self.path.removeprefix("/up/").replace("/", "_")] = self._body()
        self._answer(200, {})

    def do_GET(self) -> None:
        self.tokens.add(self.headers.get("Authorization", ""))
        if "waits" in self.path:
            self.hold.wait(30)
        if self.path == "/health":
            self._answer(200, {})
        elif self.uploaded[self.path.split("?")[0].rpartition("/")[2]].endswith(b"cat"):
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
    ScriptedService.uploaded, ScriptedService.tokens = {}, set()
    ScriptedService.hold = threading.Event()
    ScriptedService.known = set()
    with Server(0, ScriptedService) as server:
        yield server.url
        ScriptedService.hold.set()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    for name in ("b.jpg", "deep/er/a.PNG"):
        (tmp_path / name).write_bytes(CAT_PHOTO)
    (tmp_path / "notes.txt").write_text("no photo")
    (tmp_path / "movie.jpg").write_bytes(b"\0\0\0\x18ftypisom")
    (tmp_path / ".DS_Store").write_text("a desktop's")
    return tmp_path


def test_photos_in_folders_are_found_by_what_they_are_however_deep(folder: Path) -> None:
    picked, left_out = pick([folder])

    assert [one.name for one in picked] == ["b.jpg", "deep/er/a.PNG"]
    assert left_out == [(folder / "movie.jpg", "a video"), (folder / "notes.txt", "no picture")]


def test_a_file_that_is_named_is_taken_whatever_it_is(folder: Path) -> None:
    assert [one.name for one in pick([folder / "notes.txt"])[0]] == ["notes.txt"]


def test_what_is_left_out_is_named(service: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(15):
        (folder / f"note {number:02}.txt").write_text("no photo")

    assert main(["--url", service, str(folder)]) == 0

    told = capsys.readouterr().err
    assert f"Left out: {folder / 'movie.jpg'} (a video)" in told
    assert "Left out: 7 more" in told


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.jpg b.jpg", ["a.jpg", "b.jpg"]),
        ("my photos/one  two.jpg", ["my photos/one  two.jpg"]),
        ("a.jpg my photos b.jpg", ["a.jpg", "my photos", "b.jpg"]),
        ("'my photos/one  two.jpg' a.jpg", ["my photos/one  two.jpg", "a.jpg"]),
        (r"my\ photos a.jpg", ["my photos", "a.jpg"]),
        ("*.jpg", ["a.jpg", "b.jpg"]),
        ("my photos/*.jpg", ["my photos/it's.jpg", "my photos/one  two.jpg"]),
        ("my photos/it's.jpg", ["my photos/it's.jpg"]),
        ("gone.jpg a.jpg", ["gone.jpg", "a.jpg"]),
        ("~/a.jpg", ["HOME/a.jpg"]),
        ("", []),
    ],
)
def test_paths_may_have_spaces_with_quotes_or_without(
    text: str, expected: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my photos").mkdir()
    for name in ("a.jpg", "b.jpg", "my photos/one  two.jpg", "my photos/it's.jpg"):
        (tmp_path / name).write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))

    assert words(text) == [one.replace("HOME", str(tmp_path)) for one in expected]


def test_the_stack_that_runs_is_found_with_its_token(
    service: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    monkeypatch.setenv("FILES", str(folder / "b.jpg"))
    with closing(Folder(data)) as kept:
        kept.announce(Running(1, service, "", "", "slt_secret"))
        assert main(["--data", str(data)]) == 0

    assert ScriptedService.tokens == {"Bearer slt_secret"}


def test_ctrl_c_ends_with_what_was_done(service: str, folder: Path) -> None:
    """As a process of its own: the service answers the first photo and keeps the second one waiting."""
    (folder / "c waits.jpg").write_bytes(CAT_PHOTO)
    command = [sys.executable, "-m", "local.label", "--url", service, str(folder)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, text=True, **pipes) as ran:  # type: ignore[call-overload]  # noqa: S603
        assert ran.stdout
        begun = [ran.stdout.readline(), ran.stdout.readline()]  # so piped output comes as it is made
        ran.send_signal(signal.SIGINT)
        out, err = ran.communicate(timeout=30)

    assert "Cat 92" in begun[1]
    summary = re.search(r"([12]) of 3 labelled, ([12]) not waited for, in \d+ s\.", out)
    assert summary
    assert out.count("Cat 92") + 1 == int(summary[1]) == 3 - int(summary[2])
    assert "Traceback" not in err
    assert ran.returncode == 130


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
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff nonsense")

    assert main(["--url", service, str(folder)]) == 1

    shown = capsys.readouterr().out
    assert "unusable-image: This is no image." in shown
    assert shown.count("Cat 92") == 2


def test_a_photo_that_the_service_turns_down_does_not_hold_up_the_others(
    service: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "refused.jpg").write_bytes(CAT_PHOTO)

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


def test_the_last_line_sums_up(service: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff nonsense")

    main(["--url", service, str(folder)])

    last = capsys.readouterr().out.splitlines()[-1]
    assert re.fullmatch(r"2 of 3 labelled, 1 failed, in \d+ s\.", last)


@pytest.mark.parametrize("again", [False, True])
def test_what_is_known_by_its_bytes_is_uploaded_only_if_that_is_wanted(
    service: str,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    again: bool,
) -> None:
    (folder / "new.jpg").write_bytes(b"\xff\xd8\xff another cat")
    ScriptedService.known = {hashlib.sha256(CAT_PHOTO).hexdigest()}
    monkeypatch.setenv("AGAIN", "1" if again else "")

    assert main(["--url", service, str(folder)]) == 0

    shown = capsys.readouterr().out
    assert set(ScriptedService.uploaded) == {"new.jpg", *(["b.jpg", "deep_er_a.PNG"] if again else [])}
    assert shown.count("known already: Cat 92") == (0 if again else 2)
    summary = "3 of 3 labelled," if again else "1 of 3 labelled, 2 known already (AGAIN=1"
    assert summary in shown.splitlines()[-1]


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
