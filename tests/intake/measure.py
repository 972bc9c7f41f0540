"""``python -m tests.intake.measure FILE``: prepare a file; say how it ended, after how long, in how much."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from chalicelib.errors import UnusableImage
from chalicelib.intake.photos import prepare
from chalicelib.settings import Settings
from tests.conftest import ENVIRONMENT


def peak() -> float:
    """The most memory this process has had, in MiB.

    Linux counts the parent's into getrusage's answer (it survives exec), but not into VmHWM.
    """
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * 1024)  # macOS counts bytes


def main(path: Path) -> None:
    chosen = Settings.read(ENVIRONMENT)
    before, started = peak(), time.process_time()
    try:
        content = path.read_bytes()
        prepare(content, max_bytes=chosen.max_image_bytes, max_pixels=chosen.max_image_pixels)
        code = "read"
    except UnusableImage as error:
        code = error.code
    took = time.process_time() - started  # the machine may be busy with other things
    print(json.dumps({"code": code, "seconds": took, "mib": peak() - before}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
