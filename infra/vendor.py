"""What a package holds besides the project's own code."""

from __future__ import annotations

from pathlib import Path

from infra import libraries, networks
from infra.project import Stage

LOCK = "requirements.lock"


def fill(stage: Stage, folder: Path, architecture: str = "") -> None:
    """Lay out in ``folder``, a copy of the project, the libraries and what the stage's recogniser needs.

    For functions of this Python's version, on ``architecture`` (x86_64 or arm64; empty: the stage's).

    :raises Refused: a library could not be had, or is not the one that was locked.
    """
    chosen = architecture or stage.architecture
    libraries.install(stage.root / LOCK, folder / "vendor", chosen)
    (folder / "requirements.txt").write_text("# What is needed lies in vendor/.\n", encoding="utf-8")
    networks.bring(stage, folder, chosen)
