"""Archives in pieces are archives: Python's own reader opens them, whatever is in them and however large."""

from __future__ import annotations

import datetime
import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.export.zip_format import ZipEntry, end

AT = datetime.datetime(2026, 3, 1, 9, 30, 58, tzinfo=datetime.UTC)
NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40).filter(
    lambda name: "/" not in name and "\\" not in name
)


def archive(entries: list[ZipEntry], *, at: int = 0) -> bytes:
    """The entries and what belongs behind them, for a file in which they begin at ``at``."""
    body, directory = bytearray(), bytearray()
    for entry in entries:
        directory += entry.listed(at + len(body))
        body += entry.local()
    return bytes(body + directory + end(len(entries), len(directory), at + len(body)))


@given(st.dictionaries(NAMES, st.binary(max_size=200), max_size=5))
def test_what_is_packed_comes_out_again(files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(io.BytesIO(archive([ZipEntry(name, AT, files[name]) for name in files]))) as packed:
        assert packed.testzip() is None
        assert {info.filename: packed.read(info) for info in packed.infolist()} == files
        assert all(info.date_time == (2026, 3, 1, 9, 30, 58) for info in packed.infolist())


@pytest.mark.slow
def test_more_than_65_535_files_fit() -> None:
    names = [f"{number}.jpg" for number in range(0x10001)]
    with zipfile.ZipFile(io.BytesIO(archive([ZipEntry(name, AT, b"") for name in names]))) as packed:
        assert packed.namelist() == names


@pytest.mark.parametrize("at", [2**32 - 20, 2**32 + 5])
def test_a_file_of_more_than_4_gb_can_be_read(tmp_path: Path, at: int) -> None:
    path = tmp_path / "sparse.zip"
    with path.open("wb") as file:
        file.seek(at)  # a hole takes no room on the disk
        file.write(archive([ZipEntry("a.jpg", AT, b"one"), ZipEntry("b.jpg", AT, b"two")], at=at))
    with zipfile.ZipFile(path) as packed:
        assert [packed.read(name) for name in packed.namelist()] == [b"one", b"two"]
