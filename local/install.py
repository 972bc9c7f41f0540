"""``python -m local.install REQUIREMENTS``: install what Sightline needs, and show how far it is.

For a virtual environment in which nothing is installed yet: it needs Python and pip alone.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterable
from typing import TextIO

EVERY = 10  # packages a line, where there is no terminal to write one line anew
KEPT_LINES = 30  # of what pip says, for where it fails
CLEAR = "\r\x1b[K"  # the terminal's line
_FOUND = re.compile(r"(?:Collecting|Requirement already satisfied:) ([A-Za-z0-9._-]+)")
_INSTALLING = re.compile(r"Installing collected packages: (.*)")


def main(requirements: str, out: TextIO = sys.stderr) -> int:
    """Install a list of requirements; answers pip's exit code, and says what pip said where it failed."""
    command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check"]
    started = time.monotonic()
    with subprocess.Popen(  # noqa: S603 - pip
        [*command, "--progress-bar", "off", "-r", requirements],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as pip:
        said = shown(pip.stdout or (), out)
    if pip.returncode:
        out.write("".join(said))
    else:
        out.write(f"  done in {time.monotonic() - started:.0f} s\n")
    return pip.returncode


def shown(lines: Iterable[str], out: TextIO) -> deque[str]:
    """Show what pip's lines tell of its progress; answers the last of them."""
    said: deque[str] = deque(maxlen=KEPT_LINES)
    terminal, count = out.isatty(), 0
    for line in lines:
        said.append(line)
        if found := _FOUND.match(line):
            count += 1
            if terminal:
                out.write(f"{CLEAR}  {count} packages found, now {found[1]}")
            elif count % EVERY == 0:
                out.write(f"  {count} packages found, now {found[1]}\n")
        elif installing := _INSTALLING.match(line):
            total = installing[1].count(",") + 1
            out.write((CLEAR if terminal else "") + f"  installing {total} packages\n")
        out.flush()
    if terminal:
        out.write(CLEAR)
    return said


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
