"""Which files to upload: those that are named, and the photos in named folders; writing files whole."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

HEAD_BYTES = 64
# How photos begin that a service reads; it looks closer itself.
PHOTO = re.compile(
    rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|RIFF....WEBP|GIF8[79]a|BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\x00\x00\x00"
    rb"|II[*+]\x00|MM\x00[*+]|....ftyp(?:avi[fs]|he[iv][cmsx]|m[is]f1|crx )"
    rb"|\x00\x00\x00\x0cjP  |\xff\x4f\xff\x51"
    rb"|FUJIFILMCCD-RAW |II(?:RO|RS|U\x00)|MMOR",
    re.DOTALL,
)
OTHER = {
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a ZIP archive",
    b"<?xml": "XML",
    b"<svg": "an SVG drawing",
    b"\x00\x00\x01\x00": "an icon",
    b"8BPS": "a Photoshop file",
}
VIDEO = re.compile(rb"....ftyp|\x1aE\xdf\xa3|RIFF....AVI ", re.DOTALL)


@dataclass(frozen=True)
class Picked:
    """A file and the ``name`` that it is uploaded with."""

    path: Path
    name: str


@dataclass(frozen=True)
class LeftOut:
    """A file of a folder that is no photo, and what it seems to be."""

    path: Path
    kind: str


def pick(paths: Iterable[Path]) -> tuple[list[Picked], list[LeftOut]]:
    """The named files, and the photos in the named folders and below, in order.

    A named file is uploaded whatever it is: the service says what is wrong with it. Hidden files in folders
    are skipped, and so are sidecars, which go with their photos.
    """
    picked: list[Picked] = []
    left_out: list[LeftOut] = []
    for path in paths:
        if not path.is_dir():
            picked.append(Picked(path, path.name))
            continue
        for found in sorted(one for one in path.rglob("*") if one.is_file() and not _hidden(one, path)):
            kind = other_than_photo(found)
            if found.suffix.lower() == ".xmp":
                continue
            if kind:
                left_out.append(LeftOut(found, kind))
            else:
                picked.append(Picked(found, found.relative_to(path).as_posix()))
    return picked, left_out


def _hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def other_than_photo(path: Path) -> str:
    """What a file is instead of a photo; empty for a photo and for one that cannot be read now."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError:
        return ""
    if PHOTO.match(head):
        return ""
    if VIDEO.match(head):
        return "a video"
    return next((kind for start, kind in OTHER.items() if head.startswith(start)), "no picture")


@contextmanager
def written_whole(path: Path, mode: int = 0o666, *, like: Path | None = None) -> Iterator[BinaryIO]:
    """A file to write to. It appears as a whole when the block ends without an error, and else not at all.

    It gets times and permissions of the file that it is to be ``like``. What was written can be read as well.
    """
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)  # of a program that was killed
    try:
        with os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode), "w+b") as file:
            yield file
        if like:
            with suppress(OSError):  # another's file: only its owner may give it away
                os.chown(part, like.stat().st_uid, like.stat().st_gid)
            shutil.copystat(like, part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def told_of(left_out: Sequence[LeftOut], most: int = 10) -> list[str]:
    """Lines that say which files are left out, and why: the first by name, the others by their number."""
    lines = [f"Left out: {one.path} ({one.kind})" for one in left_out[:most]]
    return lines + ([f"Left out: {len(left_out) - most} more"] if len(left_out) > most else [])
