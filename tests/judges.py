"""exiftool and exiv2, which judge what we write as XMP, and write what we read."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

exiftool = pytest.mark.skipif(not shutil.which("exiftool"), reason="exiftool is not on this machine")
exiv2 = pytest.mark.skipif(not shutil.which("exiv2"), reason="exiv2 is not on this machine")


def run(program: str, *words: str | Path) -> str:
    """What a program prints; it must not fail."""
    command = [shutil.which(program) or program, *map(str, words)]
    ran = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - our own files
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.decode()


def read_by_exiftool(folder: Path) -> dict[str, dict[str, Any]]:
    """The XMP of every file in a folder, by the file's name; no warning is accepted."""
    told = run("exiftool", "-json", "-struct", "-XMP:all", "-charset", "UTF8", folder)
    assert "Warning" not in told, told
    return {Path(one["SourceFile"]).name: one for one in json.loads(told)}
