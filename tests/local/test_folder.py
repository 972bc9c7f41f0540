"""One stack works in a folder, others find it there, and nobody else's things are touched."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from local.config import ROOT
from local.folder import Folder, InUse, Running, Unusable, running

STACK = Running(1, "http://127.0.0.1:8000", "http://127.0.0.1:5055", "http://127.0.0.1:5056", "slt_x")
HOLDER = """
import sys, time
from pathlib import Path
from local.folder import Folder, Running
folder = Folder(Path(sys.argv[1]))
folder.announce(Running(7, "a", "b", "c"))
print("ready", flush=True)
sys.stdin.read()
"""


def test_a_stack_is_found_while_it_works_and_not_after(tmp_path: Path) -> None:
    assert running(tmp_path) is None
    with closing(Folder(tmp_path)) as folder:
        assert running(tmp_path) is None  # it has not said where it is
        folder.announce(STACK)
        assert running(tmp_path) == STACK
        assert (tmp_path / "running.json").stat().st_mode & 0o77 == 0
    assert running(tmp_path) is None


def test_a_second_one_is_told_of_the_first(tmp_path: Path) -> None:
    with closing(Folder(tmp_path)) as folder:
        folder.announce(STACK)
        with pytest.raises(InUse) as used:
            Folder(tmp_path)
    assert used.value.running == STACK
    Folder(tmp_path).close()


def test_one_that_was_killed_is_in_nobodys_way(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:  # noqa: S603
        assert holder.stdout
        holder.stdout.readline()
        assert running(tmp_path) == Running(7, "a", "b", "c")
        holder.kill()
        holder.wait()

    assert running(tmp_path) is None
    Folder(tmp_path).close()


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("important")

    with pytest.raises(Unusable, match="holds something else"):
        Folder(tmp_path)

    assert [one.name for one in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(Unusable, match=r"file/data cannot be used: Not a directory\."):
        Folder(tmp_path / "file" / "data")


def test_a_folder_of_a_later_version_is_not_touched(tmp_path: Path) -> None:
    Folder(tmp_path).close()
    (tmp_path / "sightline.json").write_text(json.dumps({"format": 2}))

    with pytest.raises(Unusable, match="later version"):
        Folder(tmp_path)


def test_what_is_set_aside_never_takes_the_place_of_what_lies_there(tmp_path: Path) -> None:
    with closing(Folder(tmp_path)) as folder:
        for text in ("one", "two"):
            (tmp_path / "queues.json").write_text(text)
            folder.put_aside(tmp_path / "queues.json")

        assert not (tmp_path / "queues.json").exists()
        assert sorted(Path(one).read_text() for one in folder.set_aside) == ["one", "two"]


def test_emptied_it_holds_nothing_and_can_be_used_again(tmp_path: Path) -> None:
    with closing(Folder(tmp_path)) as folder:
        photo = tmp_path / "objects" / "uploads" / "holiday" / "a.jpg"
        photo.parent.mkdir(parents=True)
        photo.write_text("")
        (tmp_path / "table.jsonl").write_text("")
        folder.note(tour=True)
        assert folder.empty() == 1

    assert {one.name for one in tmp_path.iterdir()} <= {"lock"}
    with closing(Folder(tmp_path)) as folder:
        assert "tour" not in folder.notes
