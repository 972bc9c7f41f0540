"""What a package holds besides the project's own code."""

from __future__ import annotations

from pathlib import Path

from infra import bytecode, libraries, networks
from infra.project import Stage

LOCK = "requirements.lock"
# Pillow's own means of drawing text and of showing pictures on a screen, with what they are made of.
_LEFT_OUT = (
    "PIL/_imagingft.*",
    "PIL/_imagingtk.*",
    "pillow.libs/libbrotli*",
    "pillow.libs/libfreetype*",
    "pillow.libs/libharfbuzz*",
    "pillow.libs/libpng16*",
)


def fill(stage: Stage, folder: Path, architecture: str = "") -> None:
    """Lay out in ``folder``, a copy of the project, the libraries and what the stage's recogniser needs.

    For functions of this Python's version, on ``architecture`` (x86_64 or arm64; empty: the stage's); all of
    it is compiled.

    :raises Refused: a library could not be had, or is not the one that was locked.
    """
    chosen = architecture or stage.architecture
    libraries.install(stage.root / LOCK, folder / "vendor", chosen)
    libraries.leave_out(_LEFT_OUT, folder / "vendor")
    (folder / "requirements.txt").write_text("# What is needed lies in vendor/.\n", encoding="utf-8")
    networks.bring(stage, folder, chosen)
    bytecode.compile_all(folder)
