"""``sightline label``, against a service that answers as scripted.

Holds `client/sightline_labels/label_command.py`, `client/sightline_labels/uploads.py`,
`client/sightline_labels/files.py`, `client/sightline_labels/table.py`.
"""

from __future__ import annotations

import hashlib
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sightline_labels.cli import main
from sightline_labels.files import pick

from local.config import ROOT
from local.http_server import Server
from tests.command_line.service import CAT_PHOTO, OTHER_CAT, ScriptedService

# As a shell starts it: whatever this process ignores, Ctrl-C reaches it.
SIGHTLINE = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler);"
    "from sightline_labels.cli import main; sys.exit(main())"
)


@contextmanager
def sightline(*words: str) -> Iterator[subprocess.Popen[str]]:
    """A running ``sightline``, which ends with the block at the latest."""
    command = [sys.executable, "-c", SIGHTLINE, *words]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, text=True, **pipes) as ran:  # type: ignore[call-overload]  # noqa: S603
        try:
            yield ran
        finally:
            ran.kill()


def test_photos_in_folders_are_found_by_what_they_are_however_deep(folder: Path) -> None:
    picked, left_out = pick([folder])

    assert [one.name for one in picked] == ["b.jpg", "deep/er/a.PNG"]
    assert {one.path.name: one.kind for one in left_out} == {
        "movie.jpg": "a video",
        "notes.txt": "no picture",
    }


def test_a_file_that_is_named_is_taken_whatever_it_is(folder: Path) -> None:
    assert [one.name for one in pick([folder / "notes.txt"])[0]] == ["notes.txt"]


def test_what_is_left_out_is_named(service: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(15):
        (folder / f"note {number:02}.txt").write_text("no photo")

    assert main(["--url", service, "label", str(folder)]) == 0

    told = capsys.readouterr().err
    assert f"Left out: {folder / 'movie.jpg'} (a video)" in told
    assert "Left out: 7 more" in told


def test_ctrl_c_ends_with_what_was_done(service: str, folder: Path) -> None:
    """As a process of its own: the service answers the first photo and keeps the second one waiting."""
    (folder / "c waits.jpg").write_bytes(b"\xff\xd8\xff a third cat")
    with sightline("--url", service, "label", str(folder)) as ran:
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
    assert main(["--url", service, "label", str(folder)]) == 0

    shown = capsys.readouterr().out
    assert "b.jpg" in shown
    assert shown.count("Cat 92 (Feline, Animal)") == 2
    assert "Animal 95" not in shown


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("broken.jpg", b"\xff\xd8\xff nonsense", "unusable-image: This is no image."),
        ("refused.jpg", CAT_PHOTO, "bad-request: Not with that name."),
    ],
    ids=["it fails", "it is turned down"],
)
def test_a_photo_that_fails_is_shown_with_its_reason_and_does_not_hold_up_the_others(
    service: str, folder: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes, reason: str
) -> None:
    (folder / name).write_bytes(content)

    assert main(["--url", service, "label", str(folder)]) == 1

    shown = capsys.readouterr().out
    assert reason in shown
    assert shown.count("Cat 92") == 2


def test_a_file_that_is_not_there_is_named(
    service: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--url", service, "label", str(tmp_path / "gone.jpg")]) == 1

    assert "No such file" in capsys.readouterr().out


def test_the_last_line_sums_up(service: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff nonsense")

    main(["--url", service, "label", str(folder)])

    last = capsys.readouterr().out.splitlines()[-1]
    assert re.fullmatch(r"2 of 3 labelled, 1 failed, in \d+ s\.", last)


@pytest.mark.parametrize("again", [False, True])
def test_what_is_known_by_its_bytes_is_uploaded_only_if_that_is_wanted(
    service: str,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    again: bool,
) -> None:
    (folder / "new.jpg").write_bytes(b"\xff\xd8\xff a new cat")
    ScriptedService.known = {hashlib.sha256(one).hexdigest() for one in (CAT_PHOTO, OTHER_CAT)}

    assert main(["--url", service, "label", *(["--again"] if again else []), str(folder)]) == 0

    shown = capsys.readouterr().out
    assert set(ScriptedService.uploaded) == {"new.jpg", *(["b.jpg", "deep_er_a.PNG"] if again else [])}
    assert shown.count("known already: Cat 92") == (0 if again else 2)
    summary = "3 of 3 labelled," if again else "1 of 3 labelled, 2 known already (--again"
    assert summary in shown.splitlines()[-1]


def test_a_folder_without_photos_is_named(
    service: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--url", service, "label", str(tmp_path)]) == 1

    assert f"There are no photos in {tmp_path}." in capsys.readouterr().err


def test_where_nothing_runs_the_way_to_start_it_is_shown(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Server(0, ScriptedService) as server:
        gone = server.url

    assert main(["--url", gone, "label", str(folder)]) == 1

    assert f"Nothing answers at {gone}. Is the address right? `make run`" in capsys.readouterr().err


def test_what_a_killed_one_had_sent_is_not_sent_again(service: str, folder: Path) -> None:
    (folder / "c waits.jpg").write_bytes(b"\xff\xd8\xff a third cat")
    with sightline("--url", service, "label", str(folder)) as ran:
        assert ran.stdout
        for _ in range(2):
            ran.stdout.readline()  # the heading, and the first photo
        ran.kill()
    sent = dict(ScriptedService.uploaded)
    ScriptedService.uploaded.clear()
    ScriptedService.hold.set()

    assert main(["--url", service, "label", str(folder)]) == 0

    assert sent
    assert not sent.keys() & ScriptedService.uploaded.keys()
    assert len(sent) + len(ScriptedService.uploaded) == 3


@pytest.mark.slow
def test_what_comes_into_a_watched_folder_is_labelled(service: str, folder: Path) -> None:
    with sightline("--url", service, "label", "--watch", str(folder)) as ran:
        assert ran.stdout
        told = [ran.stdout.readline() for _ in range(3)]
        (folder / "later.jpg").write_bytes(b"\xff\xd8\xff a later cat")
        told.append(ran.stdout.readline())
        ran.send_signal(signal.SIGINT)
        rest, _ = ran.communicate(timeout=30)

    assert told[0].startswith("Watching")
    assert "later.jpg" in told[3]
    assert "Cat 92" in told[3]
    assert (ran.returncode, rest) == (0, "")
