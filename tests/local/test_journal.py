"""A journal gives back what was written, whatever happened to its end; what is damaged is counted."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from local import journal
from local.journal import Content, Journal

VALUES = [{"a": "é\n"}, ["\u2028", 1.5, None], "x" * 10_000]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "some.jsonl"


def test_what_was_appended_is_read_back(path: Path) -> None:
    written = Journal(path)
    written.append(VALUES[0])
    written.append(*VALUES[1:])

    assert Journal(path).read() == Content(VALUES)


def test_a_journal_that_is_not_there_is_empty(path: Path) -> None:
    assert Journal(path).read() == Content()
    assert not path.exists()


@pytest.mark.parametrize("left", [1, 9, 12])
def test_a_line_without_its_end_is_cut_off_and_the_next_one_is_whole(path: Path, left: int) -> None:
    Journal(path).append("first", "second")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1][:left])

    again = Journal(path)

    assert again.read() == Content(["first"])
    again.append("third")
    assert Journal(path).read() == Content(["first", "third"])


@pytest.mark.parametrize("damage", [b"", b"00000000 null", b"nonsense", b"\xff\xfe"])
def test_a_wrong_line_is_counted_and_the_others_are_read(path: Path, damage: bytes) -> None:
    Journal(path).append("first", "second", "third")
    lines = path.read_bytes().splitlines()
    lines[1] = damage
    path.write_bytes(b"\n".join(lines) + b"\n")

    assert Journal(path).read() == Content(["first", "third"], damaged=1)


def test_writing_it_anew_leaves_nothing_of_before_and_goes_on(path: Path) -> None:
    journal = Journal(path)
    journal.append(*VALUES)

    journal.rewrite(iter(["new"]))
    journal.append("more")

    assert Journal(path).read() == Content(["new", "more"])


def test_of_an_append_that_fails_half_way_nothing_stays(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = Journal(path)
    written.append("first")

    def half(file: int, lines: bytes) -> None:
        journal.os.write(file, lines[: len(lines) // 2])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(journal, "_write", half)
        with pytest.raises(OSError, match="No space"):
            written.append("second")
    written.append("third")

    assert Journal(path).read() == Content(["first", "third"])


def test_appends_of_several_threads_do_not_mix(path: Path) -> None:
    journal = Journal(path)
    threads = [
        threading.Thread(target=lambda name=name: [journal.append(name * 3000) for _ in range(50)])
        for name in "abcd"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    read = Journal(path).read()

    assert not read.damaged
    assert sorted(value[0] for value in read.values) == sorted("abcd" * 50)
