"""What is packaged, compiled beforehand: Lambda cannot write it down, and would compile at each cold start.

That took longer than all the rest of a start. The files hold for this Python's version, which Chalice makes
the functions' runtime. They are not held to their sources (PEP 552, unchecked): a package is replaced whole.
"""

from __future__ import annotations

import compileall
import py_compile
from importlib.util import cache_from_source
from pathlib import Path

import chalice

PLACE = Path("/var/task")  # where Lambda lays a package


def compile_all(folder: Path) -> None:
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
