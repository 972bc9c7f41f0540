"""What a package holds besides the project's own code; all of it is compiled beforehand.

Lambda cannot write down what it compiles, and would compile at each cold start, which took longer than all
the rest of a start. The compiled files hold for this Python's version, which Chalice makes the functions'
runtime. They are not held to their sources (PEP 552, unchecked): a package is replaced whole.
"""

from __future__ import annotations

import compileall
import py_compile
from importlib.util import cache_from_source
from pathlib import Path

import chalice

from infra import libraries, networks
from infra.project import Stage

LOCK = "requirements.lock"
PLACE = Path("/var/task")  # where Lambda lays a package
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
    _compile_all(folder)


def _compile_all(folder: Path) -> None:
    """Compile the libraries and the code in ``folder``, as Chalice will package it, and Chalice's runtime.

    Chalice takes ``chalicelib`` as it is, of the rest ``app.py`` and its own runtime alone: what belongs
    beside those lies in ``vendor``, which ends up there.
    """
    vendor = folder / "vendor"
    _compile_below(folder / "chalicelib", PLACE / "chalicelib")
    _compile_below(vendor, PLACE)
    _compile(folder / "app.py", Path("app.py"), vendor)
    runtime = Path(chalice.__file__).parent
    for name in ("__init__.py", "app.py"):
        _compile(runtime / name, Path("chalice") / name, vendor)


def _compile_below(folder: Path, place: Path) -> None:
    # What does not compile is a library's own example or is for another Python; it is packaged as it is.
    compileall.compile_dir(
        folder,
        quiet=2,
        stripdir=str(folder),
        prependdir=str(place),
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )


def _compile(source: Path, name: Path, vendor: Path) -> None:
    compiled = Path(cache_from_source(str(vendor / name)))
    py_compile.compile(
        str(source),
        str(compiled),
        str(PLACE / name),
        doraise=True,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
