"""``make label``: paths as people write them, for the stack that runs.

Holds `local/label.py`.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from local.folder import Folder, Running
from local.label import main, words
from tests.command_line.service import ScriptedService


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


def test_without_files_the_command_to_type_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 1

    assert 'make label FILES="' in capsys.readouterr().err
