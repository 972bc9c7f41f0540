"""The libraries of a package: the very files that a lock names, for the functions' processors.

Chalice downloads some libraries by their names alone, where pip compares no hash; so it gets none to
download, and packages what is laid into ``vendor/`` here. A plain ``chalice deploy`` in the project itself
still goes by ``requirements.txt``, which a test holds the lock to; ``make lock`` writes it anew.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from infra.project import Refused

# Lambda's Python 3.12 and newer has glibc 2.34: wheels for any of these run there.
_GLIBC = ("manylinux_2_34", "manylinux_2_28", "manylinux_2_27", "manylinux2014")
_MACHINE = {"x86_64": "x86_64", "arm64": "aarch64"}
_OTHER_FILE = "DO NOT MATCH THE HASHES"  # pip's words for it


def install(lock: Path, vendor: Path, architecture: str, *, dependencies: bool = True) -> None:
    """Lay what ``lock`` names into ``vendor``, for this Python's version on x86_64 or arm64.

    Every file is held to the lock's hashes. Without ``dependencies`` only what the lock lists is installed,
    whatever else that wants; with them, a lock that misses one is refused.

    :raises Refused: a file is not the one that was locked, or cannot be had.
    """
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    platforms = (word for one in _GLIBC for word in ("--platform", f"{one}_{_MACHINE[architecture]}"))
    options = ["--quiet", "--disable-pip-version-check", "--no-compile", "--target", str(vendor)]
    chosen = ["--require-hashes", "--only-binary=:all:", "--python-version", version, *platforms]
    more = [] if dependencies else ["--no-deps"]
    command = [sys.executable, "-m", "pip", "install", *options, *chosen, *more, "--requirement", str(lock)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    if done.returncode:
        raise Refused(_reason(lock.name, version, done.stderr))
    # Commands for a shell, each with the path of this machine's Python in its first line.
    shutil.rmtree(vendor / "bin", ignore_errors=True)


def leave_out(patterns: Iterable[str], vendor: Path) -> None:
    """Remove what nothing here uses from what was laid into ``vendor``."""
    for path in [path for pattern in patterns for path in vendor.glob(pattern)]:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _reason(lock: str, version: str, said: str) -> str:
    if _OTHER_FILE not in said:
        return f"What {lock} names could not be had for Python {version}: {said}"
    named = re.findall(r"^\s+(\S+==\S+) from ", said, re.MULTILINE)
    return (
        f"Nothing is packaged: {', '.join(named) or 'a library'} is not the file whose hash {lock} has. Find "
        "out why before you trust either; `make lock` writes the lock anew."
    )
